import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { Back } from '../part/back.tsx';
import { Columns } from '../part/columns.tsx';
import { Facts } from '../part/facts.tsx';
import { FormProblem } from '../part/field.tsx';
import { latencyText } from '../part/latency.tsx';
import { saveFile } from '../part/save-file.ts';
import { HealthStateMark, Status } from '../part/status.tsx';
import { WiringMark, WiringReasons } from '../part/wiring.tsx';
import { NONE, formatShare, formatTime, formatValue } from '../format.ts';
import { useForm } from '../state/form.ts';
import { lineLook } from '../state/line-look.ts';
import { useServices } from '../state/services.ts';
import { tf } from '../text-field.ts';
import { t } from '../text.ts';
import type { CommissionedView, CommissioningView, LineDetailView } from '../wire-field.ts';

/** The report, and the file it came in: the signature is over its text. */
interface Made {
	readonly file: Blob;
	readonly answer: CommissioningView;
}

/** The hand-over of an installation: to be read, printed and kept. */
export function CommissioningPage() {
	const { api } = useServices();
	const form = useForm([]);
	const made = useSignal<Made | null>(null);

	const make = () =>
		form.send(async () => {
			const file = await api.file('/api/v1/commissioning-report');
			// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server validates its own answers
			made.value = { file, answer: JSON.parse(await file.text()) as CommissioningView };
		});
	useEffect(() => void make(), []);

	const now = made.value;
	return (
		<>
			<div class="no-print">
				<Back to="lines" />
			</div>
			<div class="title-row">
				<h1>{tf('report.title')}</h1>
				<span class="spring" />
				<div class="row-actions no-print">
					<button type="button" class="primary" disabled={now === null} onClick={() => print()}>
						{tf('report.print')}
					</button>
					<button
						type="button"
						disabled={now === null}
						onClick={() => {
							if (now !== null) saveFile(now.file, `commissioning-${now.answer.report.created_at.slice(0, 10)}.json`);
						}}
					>
						{tf('report.download')}
					</button>
					<button type="button" disabled={form.busy.value} onClick={() => void make()}>
						{tf('report.again')}
					</button>
				</div>
			</div>
			<FormProblem form={form} />
			{now === null ? (
				form.problem.value === null && <p class="quiet">{t('app.loading')}</p>
			) : (
				<Report {...now.answer} />
			)}
		</>
	);
}

function Report({ report, signature }: CommissioningView) {
	const { gateway, summary } = report;
	return (
		<article class="report">
			<p>{tf('report.made', { time: formatTime(report.created_at), who: report.created_by })}</p>
			<div class="cards">
				<section class="card">
					<h2>{tf('report.gateway')}</h2>
					<Facts
						entries={[
							{ name: tf('report.site'), value: gateway.site || NONE },
							{ name: tf('report.host'), value: gateway.hostname },
							{ name: tf('report.version'), value: gateway.version },
							{ name: tf('report.id'), value: <span class="id">{gateway.gateway_id}</span> },
						]}
					/>
				</section>
				<section class="card">
					<h2>{tf('report.devices')}</h2>
					<Facts
						entries={[
							{
								name: tf('report.devices'),
								value: tf('report.devicesOk', { ok: summary.devices_ok, all: summary.devices }),
							},
							{ name: tf('report.lines'), value: summary.lines },
							{
								name: tf('report.wiring'),
								value:
									summary.worst_wiring_score === null
										? NONE
										: tf('line.wiringScore', { score: summary.worst_wiring_score }),
							},
							{ name: tf('report.mistakes'), value: summary.mistakes },
						]}
					/>
				</section>
			</div>
			<Mistakes of={report.mistakes} />
			<h2 class="section-title">{tf('report.lines')}</h2>
			{report.lines.map((line) => (
				<Line key={line.line} line={line} />
			))}
			<h2 class="section-title">{tf('report.devices')}</h2>
			{report.devices.map((device) => (
				<Device key={device.device_uid} device={device} />
			))}
			<p class="quiet">{tf(signature === null ? 'report.unsigned' : 'report.signed')}</p>
			<p class="sign-here">{tf('report.signature')}</p>
		</article>
	);
}

function Mistakes({ of }: { readonly of: readonly string[] }) {
	if (of.length === 0) return null;
	return (
		<ul class="sentences warn-text">
			{of.map((sentence) => (
				<li key={sentence}>{sentence}</li>
			))}
		</ul>
	);
}

function Line({ line }: { readonly line: LineDetailView }) {
	return (
		<section class="card">
			<h3 class="id">{line.line}</h3>
			<p class="marks">
				<Status {...lineLook(line.state)}>{line.state}</Status>
				<WiringMark health={line.health} />
			</p>
			{line.reason !== null && <p class="reason">{line.reason}</p>}
			<WiringReasons health={line.health} />
			<Facts
				entries={[
					{ name: tf('lines.busy'), value: formatShare(line.utilisation) },
					{ name: tf('lines.latency'), value: latencyText(line) },
					{ name: tf('line.timeouts'), value: `${line.timeouts} / ${line.requests}` },
					{ name: tf('line.crc'), value: line.crc_errors },
				]}
			/>
		</section>
	);
}

const placeOf = ({ line, unit_id: unit, driver }: CommissionedView): string =>
	line === null || unit === null ? (driver ?? NONE) : tf('report.device', { line, unit });

type Value = CommissionedView['values'][number];

function Device({ device }: { readonly device: CommissionedView }) {
	const { template, wiring } = device;
	return (
		<section class="card">
			<h3>
				{device.name} <small class="id">{device.device_uid}</small>
			</h3>
			<p class="marks">
				<HealthStateMark state={device.health.state} />
				{wiring !== null && <WiringMark health={wiring} />}
			</p>
			{device.health.reason !== null && <p class="reason">{device.health.reason}</p>}
			{wiring !== null && wiring.reasons.length > 0 && <WiringReasons health={wiring} />}
			<Mistakes of={device.mistakes} />
			<p class="quiet">
				<span class="id">{placeOf(device)}</span>
				{template !== null && ` · ${template.manufacturer} ${template.model}`}
			</p>
			{device.values.length === 0 ? (
				<p class="quiet">{tf('report.noValues')}</p>
			) : (
				<Columns
					columns={[
						{ title: { words: tf('report.point') }, cell: ({ name }: Value) => name },
						{
							title: { words: tf('report.value') },
							numeric: true,
							cell: ({ value, unit }: Value) => `${formatValue(value)} ${unit}`.trim(),
						},
						{ title: { words: tf('report.quality') }, cell: ({ quality }: Value) => quality },
					]}
					rows={device.values}
					rowKey={({ point }) => point}
				/>
			)}
		</section>
	);
}
