import { Fragment } from 'preact';

import { Answer } from '../part/answer.tsx';
import { Back } from '../part/back.tsx';
import { Facts, type FactEntry } from '../part/facts.tsx';
import { Frames } from '../part/frames.tsx';
import { LatencyBars, latencyText, stepsOf } from '../part/latency.tsx';
import { Status } from '../part/status.tsx';
import { WiringMark, WiringReasons } from '../part/wiring.tsx';
import { formatCount, formatShare } from '../format.ts';
import { link } from '../router.ts';
import { lineLook, sentenceOn } from '../state/line-look.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { type FieldTextKey, tf } from '../text-field.ts';
import { tr } from '../text-registers.ts';
import type { BudgetView, LineDetailView, UnitView } from '../wire-field.ts';

const PERIOD_MS = 2_000;
const BUDGET_PERIOD_MS = 10_000;

/** One wire: how it does, who hangs on it, and what passes. */
export function LinePage() {
	const { place, me } = useServices();
	const name = place.value.id ?? '';
	const polled = usePoll<LineDetailView>(`/api/v1/lines/${encodeURIComponent(name)}`, PERIOD_MS);
	return (
		<>
			<Back to="lines" />
			<div class="title-row">
				<h1 class="id">{name}</h1>
				{polled.data.value !== null && (
					<Status {...lineLook(polled.data.value.state)}>{polled.data.value.state}</Status>
				)}
				<span class="spring" />
				{me.may('devices:write') && (
					<>
						<a class="button" href={link('registers', name)}>
							{tr('registers.title')}
						</a>
						<a class="button" href={link('try', name)}>
							{tf('lines.try')}
						</a>
					</>
				)}
			</div>
			<Answer of={polled}>{(line) => <LineDetail line={line} />}</Answer>
			{me.may('gateways:configure') && polled.data.value !== null && <Frames line={name} />}
		</>
	);
}

function LineDetail({ line }: { readonly line: LineDetailView }) {
	return (
		<>
			{line.reason !== null && <p class="reason">{line.reason}</p>}
			{line.leased_to !== null && <p class="warn-text">{tf('line.leased', { who: line.leased_to })}</p>}
			<div class="cards">
				<Load line={line} />
				<section class="card">
					<h2>{tf('line.wiring')}</h2>
					<p>
						<WiringMark health={line.health} />
					</p>
					<WiringReasons health={line.health} />
				</section>
				<section class="card">
					<h2>{tf('line.latency')}</h2>
					<p class="quiet">
						{tf('lines.latency')} <strong>{latencyText(line)}</strong>
					</p>
					<LatencyBars steps={stepsOf(line.units)} />
				</section>
				<section class="card">
					<h2>{tf('line.counters')}</h2>
					<Facts entries={countersOf(line)} />
				</section>
			</div>
			<h2 class="section-title">{tf('line.units')}</h2>
			{line.units.length === 0 && <p class="quiet">{tf('line.noUnits')}</p>}
			<div class="cards">
				{line.units.map((unit) => (
					<Unit key={unit.unit_id} unit={unit} />
				))}
			</div>
		</>
	);
}

const count = (name: FieldTextKey, value: number): FactEntry => ({ name: tf(name), value: formatCount(value) });

const countersOf = (line: LineDetailView): readonly FactEntry[] => [
	count('line.requests', line.requests),
	count('line.answers', line.answers),
	count('line.timeouts', line.timeouts),
	count('line.exceptions', line.exceptions),
	count('line.crc', line.crc_errors),
	count('line.stray', line.stray_frames),
	count('line.foreign', line.foreign_frames),
	count('line.echo', line.echo_frames),
	count('line.noise', line.noise_bytes),
	count('line.quarantines', line.quarantines),
	count('line.skipped', line.skipped_periods),
];

/** Two digits are as much as the cost model knows. */
const short = (value: number): string => String(Number(value.toPrecision(2)));

/** How much of its time the line needs, and for whom. */
function Load({ line }: { readonly line: LineDetailView }) {
	const { data } = usePoll<readonly BudgetView[]>('/api/v1/lines/budget', BUDGET_PERIOD_MS);
	const budget = data.value?.find((each) => each.line === line.line);
	const trouble = line.overrun ?? budget?.sentence ?? null;
	const busy = formatShare(line.utilisation);
	return (
		<section class="card">
			<h2>{tf('line.load')}</h2>
			{trouble !== null && <p class="warn-text">{sentenceOn(line.line, trouble)}</p>}
			<Facts
				entries={[
					{
						name: tf('line.busyNow'),
						value: (
							<>
								<meter min={0} max={1} high={0.8} value={Math.min(1, line.utilisation)} aria-label={busy} /> {busy}
							</>
						),
					},
					...(budget === undefined
						? []
						: [{ name: tf('line.needs'), value: tf('line.needsValue', { s: short(budget.need_share) }) }]),
					...(budget?.devices ?? []).map((device) => ({
						name: device.name,
						value: tf('line.share', {
							share: formatShare(device.need_share),
							n: short(device.requests_per_second),
						}),
					})),
				]}
			/>
			{trouble === null && budget !== undefined && <p class="quiet">{tf('line.enough')}</p>}
		</section>
	);
}

function Unit({ unit }: { readonly unit: UnitView }) {
	return (
		<section class="card" data-unit={unit.unit_id}>
			<h3>
				{tf('line.unit', { n: unit.unit_id })} · {unit.devices.length === 0 && tf('line.unitOther')}
				{unit.devices.map(({ device_uid: uid, name }, index) => (
					<Fragment key={uid}>
						{index > 0 && ', '}
						<a href={link('devices', uid)}>{name}</a>
					</Fragment>
				))}
			</h3>
			<p>
				<WiringMark health={unit.health} />
			</p>
			<WiringReasons health={unit.health} />
			<Facts
				entries={[
					count('line.answers', unit.answers),
					count('line.timeouts', unit.timeouts),
					...unit.exceptions.map(({ code, text, count: n }) => ({
						name: tf('line.exceptions'),
						value: tf('line.exceptionTimes', { code, text, n: formatCount(n) }),
					})),
					count('line.corrupt', unit.corrupt),
					count('line.unproven', unit.unproven),
					count('line.retries', unit.retries),
					count('line.skipped', unit.skipped_periods),
					{ name: tf('lines.busy'), value: formatShare(unit.utilisation) },
					{ name: tf('lines.latency'), value: latencyText(unit) },
				]}
			/>
			<LatencyBars steps={stepsOf([unit])} />
		</section>
	);
}
