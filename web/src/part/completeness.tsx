import { useSignal } from '@preact/signals';

import { formatCount, formatTime } from '../format.ts';
import { formatDuration, gapsText } from '../duration.ts';
import { type Period, periodKey, useSpan } from '../state/period.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { th } from '../text-history.ts';
import type { CompletenessView, GapView } from '../wire-completeness.ts';
import type { DeviceView } from '../wire.ts';
import { Answer } from './answer.tsx';
import type { Column } from './columns.tsx';
import { GapBar } from './gap-bar.tsx';
import { MoreColumns } from './more.tsx';
import { PeriodChooser } from './period.tsx';
import { Reason } from './reason.tsx';
import { Reasons } from './reasons.tsx';

/** Longest question the server answers, ms. */
const MOST_MS = 31 * 86_400_000;
/** The server names at most so many gaps. */
const MOST_GAPS = 1_000;
const PERIOD_MS = 60_000;

const lengthOf = ({ from, to }: GapView): number => Date.parse(to) - Date.parse(from);
const inAll = (gaps: readonly GapView[]): number => gaps.reduce((sum, gap) => sum + lengthOf(gap), 0);

/** What is missing of a device, why, and what to do about it. */
export function Completeness({ device }: { readonly device: DeviceView }) {
	const period = useSignal<Period>({ kind: 'day' });
	return (
		<section class="card">
			<h2>{th('missing.title')}</h2>
			<PeriodChooser
				presets={['day', 'week', 'month']}
				chosen={period.value}
				mostMs={MOST_MS}
				onChoose={(chosen) => (period.value = chosen)}
			/>
			<Missing key={`${device.id}/${periodKey(period.value)}`} device={device} period={period.value} />
		</section>
	);
}

function Missing({ device, period }: { readonly device: DeviceView; readonly period: Period }) {
	const { clock } = useServices();
	const span = useSpan(period);
	const query = new URLSearchParams({
		from: new Date(span.fromMs).toISOString(),
		to: new Date(span.toMs).toISOString(),
	});
	const path = `/api/v1/devices/${encodeURIComponent(device.id)}/completeness?${query.toString()}`;
	const polled = usePoll<CompletenessView>(path, PERIOD_MS);
	const knownMs = device.created_at === undefined ? Number.NEGATIVE_INFINITY : Date.parse(device.created_at);
	const time = formatTime(device.created_at ?? null);
	// A period that ends now reaches a new device a little later.
	if (period.kind === 'own' && knownMs >= span.toMs) return <p class="quiet">{th('missing.before', { time })}</p>;
	return (
		<Answer of={polled}>
			{({ gaps, from, to }) => (
				<>
					<GapBar
						gaps={gaps}
						span={{ fromMs: Date.parse(from), toMs: Date.parse(to) }}
						knownMs={knownMs}
						nowMs={clock.now.peek()}
					/>
					{knownMs > span.fromMs && <p class="quiet">{th('missing.since', { time })}</p>}
					{knownMs >= span.toMs || gaps.length === 0 ? (
						<Nothing device={device} />
					) : (
						<Found gaps={gaps} nowMs={period.kind === 'own' ? Number.POSITIVE_INFINITY : span.toMs} />
					)}
				</>
			)}
		</Answer>
	);
}

/** Only a device that is asked owes an answer. */
const Nothing = ({ device }: { readonly device: DeviceView }) => (
	<p>{th(device.connection?.driver === 'mqtt' ? 'missing.reported' : 'missing.nothing')}</p>
);

/** @param nowMs what reaches it has not ended yet */
function columnsUntil(nowMs: number): readonly Column<GapView>[] {
	return [
		{ title: { words: th('missing.why') }, cell: ({ reason }) => <Reason reason={reason} /> },
		{ title: { words: th('missing.from') }, cell: ({ from }) => <>{formatTime(from)}</> },
		{
			title: { words: th('missing.to') },
			cell: ({ to }) => <>{Date.parse(to) >= nowMs ? th('missing.now') : formatTime(to)}</>,
		},
		{ title: { words: th('missing.time') }, numeric: true, cell: (gap) => <>{formatDuration(lengthOf(gap))}</> },
		{
			title: { words: th('missing.samples') },
			numeric: true,
			cell: ({ samples }) => <>{formatCount(samples)}</>,
		},
	];
}

function Found({ gaps, nowMs }: { readonly gaps: readonly GapView[]; readonly nowMs: number }) {
	const reasons = [...new Set(gaps.map(({ reason }) => reason))].map((reason) => {
		const its = gaps.filter((gap) => gap.reason === reason);
		const amount = { gaps: gapsText(its.length), time: formatDuration(inAll(its)) };
		return { reason, amount: th('missing.inAll', amount) };
	});
	return (
		<>
			<Reasons entries={reasons} />
			{gaps.length >= MOST_GAPS && <p class="warn-text">{th('missing.most', { n: formatCount(MOST_GAPS) })}</p>}
			<MoreColumns
				columns={columnsUntil(nowMs)}
				rows={gaps.toReversed()}
				rowKey={({ from, reason }) => from + reason}
			/>
		</>
	);
}
