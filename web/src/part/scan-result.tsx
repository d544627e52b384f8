import { formatDuration } from '../duration.ts';
import { link } from '../router.ts';
import { useForm } from '../state/form.ts';
import { SCAN_LOOK } from '../state/line-look.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { pointName } from '../format.ts';
import { unitPlace } from '../state/spot.ts';
import { tf } from '../text-field.ts';
import { tr } from '../text-registers.ts';
import type { FoundUnitView, HintView, ScanView, TemplateView } from '../wire-field.ts';
import { type FactEntry, Facts } from './facts.tsx';
import { FoundRegisters } from './found-registers.tsx';
import { FormProblem } from './field.tsx';
import { Status } from './status.tsx';

const TEMPLATES_PERIOD_MS = 600_000;

type Names = ReadonlyMap<string, string>;

/** How far a scan is and what it found; it grows while it is looked at. */
export function ScanResult({ scan, onChange }: { readonly scan: ScanView; readonly onChange: () => void }) {
	const { api } = useServices();
	const form = useForm([]);
	const isRunning = scan.state === 'running';
	return (
		<>
			<section class="card" data-scan={scan.state}>
				<p class="marks">
					<Status {...SCAN_LOOK[scan.state]}>{tf(`scan.${scan.state}`)}</Status>
					{scan.asked === null && <strong role="status">{tf('scan.foundCount', { n: scan.found.length })}</strong>}
				</p>
				<p class="quiet id">{scan.subject}</p>
				{scan.reason !== null && <p class="warn-text">{scan.reason}</p>}
				{isRunning && <Progress scan={scan} />}
				<FormProblem form={form} />
				{isRunning && (
					<button
						type="button"
						disabled={form.busy.value}
						onClick={() =>
							void form.send(async () => {
								await api.remove(`/api/v1/scans/${scan.id}`);
								onChange();
							})
						}
					>
						{tf('scan.cancel')}
					</button>
				)}
				<Hints hints={scan.hints} />
			</section>
			{scan.asked === null ? <FoundUnits scan={scan} /> : <Registers scan={scan} />}
		</>
	);
}

/** The units so far, one card each. */
function FoundUnits({ scan }: { readonly scan: ScanView }) {
	const templates = usePoll<readonly TemplateView[]>('/api/v1/templates', TEMPLATES_PERIOD_MS);
	const names: Names = new Map(
		(templates.data.value ?? []).map(({ key, manufacturer, model }) => [key, `${manufacturer} ${model}`]),
	);
	return (
		<>
			{scan.found.length === 0 && (
				<p class="quiet">{tf(scan.state === 'running' ? 'scan.nothingYet' : 'scan.nothing')}</p>
			)}
			<div class="cards">
				{scan.found.map((unit, index) => (
					<Found
						key={`${unit.line_name}/${unit.unit_id}`}
						unit={unit}
						place={unitPlace(scan.id, index)}
						names={names}
					/>
				))}
			</div>
		</>
	);
}

/** The registers, which are known at the end. */
function Registers({ scan: { id, state, asked, registers } }: { readonly scan: ScanView }) {
	if (asked !== null && registers !== null) return <FoundRegisters scan={id} asked={asked} found={registers} />;
	return state === 'running' ? <p class="quiet">{tr('registers.running')}</p> : null;
}

function Progress({ scan }: { readonly scan: ScanView }) {
	const share = tf('scan.progress', { done: scan.done, total: scan.total });
	return (
		<div class="scan-progress">
			<progress max={Math.max(1, scan.total)} value={scan.done} aria-label={share} />
			<p class="quiet">
				{share}
				{scan.eta_seconds !== null && `, ${tf('scan.eta', { time: formatDuration(scan.eta_seconds * 1_000) })}`}
			</p>
			<p class="quiet id">{scan.doing}</p>
		</div>
	);
}

export function Hints({ hints }: { readonly hints: readonly HintView[] }) {
	if (hints.length === 0) return null;
	return (
		<ul class="hints">
			{hints.map(({ code, severity, sentence }) => (
				<li key={code + sentence}>
					<Status
						tone={severity === 'warning' ? 'warn' : 'idle'}
						icon={severity === 'warning' ? 'degraded' : 'unknown'}
					>
						{sentence}
					</Status>
				</li>
			))}
		</ul>
	);
}

function identityOf({ identification }: FoundUnitView): readonly FactEntry[] {
	const { objects, server_id: serverId, sunspec } = identification;
	return [
		...objects.map(({ name, text }) => ({ name: pointName(name), value: text })),
		...(serverId === null
			? []
			: [{ name: tf('scan.serverId'), value: <span class="id">{serverId.text || serverId.hex}</span> }]),
		...(sunspec === null
			? []
			: [
					{ name: 'SunSpec', value: `${sunspec.manufacturer} ${sunspec.model}` },
					{ name: tf('scan.serialNumber'), value: sunspec.serial_number },
					{ name: tf('scan.sunspec'), value: sunspec.models.join(', ') },
				]),
	];
}

interface FoundProps {
	readonly unit: FoundUnitView;
	/** Where it is found again: the scan, and its number there. */
	readonly place: string;
	readonly names: Names;
}

function Found({ unit, place, names }: FoundProps) {
	const identity = identityOf(unit);
	const latency =
		unit.latency_ms === null
			? tf('scan.damaged')
			: tf('scan.latency', { ms: unit.latency_ms.toFixed(unit.latency_ms < 10 ? 1 : 0) });
	return (
		<section class="card found" data-found={unit.unit_id}>
			<h2>{tf('scan.unit', { n: unit.unit_id })}</h2>
			<p class="id">{unit.line_name}</p>
			<p class="quiet">{latency}</p>
			{identity.length > 0 && <Facts entries={identity} />}
			<Hints hints={unit.hints} />
			{unit.candidates.length === 0 ? (
				<p class="quiet">{tf('scan.noCandidates')}</p>
			) : (
				<>
					<h3>{tf('scan.candidates')}</h3>
					<ul class="candidates">
						{unit.candidates.map(({ template, confidence, why }) => (
							<li key={template}>
								<strong>{names.get(template) ?? template}</strong>{' '}
								<span class="quiet">{Math.round(confidence * 100)} %</span>
								{why.map((sentence) => (
									<small key={sentence}>{sentence}</small>
								))}
							</li>
						))}
					</ul>
				</>
			)}
			<div class="actions">
				<a class="button primary" href={link('add-device', place)}>
					{tf('scan.add')}
				</a>
				<a class="button" href={link('try', place)}>
					{tf('scan.try')}
				</a>
				<a class="button" href={link('registers', place)}>
					{tr('registers.title')}
				</a>
			</div>
		</section>
	);
}
