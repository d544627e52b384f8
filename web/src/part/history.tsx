import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';

import { gapsText } from '../duration.ts';
import { formatTime, formatValue, pointName } from '../format.ts';
import { PRESETS, type Period, type Span, periodKey, useSpan } from '../state/period.ts';
import { usePoll } from '../state/poll.ts';
import { NO_SERIES, type Series, appended, bandOf, summaryOf, withGaps } from '../state/series.ts';
import { useServices } from '../state/services.ts';
import { th } from '../text-history.ts';
import { t } from '../text.ts';
import type { DeviceView, SeriesView } from '../wire.ts';
import { Answer } from './answer.tsx';
import { Chart } from './chart.tsx';
import { PeriodChooser } from './period.tsx';

const SPAN_MS = PRESETS.hour;
/** What is drawn at least, however short the history is. */
const SHORTEST_SPAN_MS = 180_000;
const MAX_POINTS = 1_000;
/** Points of the answer stand for a part of the span each; a gap is longer than some of them. */
const shortestGapMs = (spanMs: number): number => (spanMs / MAX_POINTS) * 3;
/** Longest chart the server answers, ms. */
const MOST_MS = 3_660 * 86_400_000;
/** From this span on a dot stands for so many readings that only their limits are worth drawing, ms. */
const BAND_FROM_MS = 2 * PRESETS.day;
/** Parts of such a span. */
const BAND_PARTS = 250;
/** A longer chart hardly changes; it is asked for again with each step of its period. */
const AGAIN_MS = 600_000;

const pathOf = ({ id }: DeviceView, point: string, { fromMs, toMs }: Span): string => {
	const query = new URLSearchParams({
		points: point,
		from: new Date(fromMs).toISOString(),
		to: new Date(toMs).toISOString(),
		max_points: String(MAX_POINTS),
	});
	return `/api/v1/devices/${encodeURIComponent(id)}/series?${query.toString()}`;
};

/** The stored values of a point as the server answers them, with its gaps. */
function seriesOf({ points }: SeriesView, point: string, gapMs: number): Series {
	const found = points[point];
	return withGaps({ timesMs: found?.t ?? [], values: found?.v ?? [] }, gapMs);
}

type LoadState = 'loading' | 'ready' | 'failed';

/** The stored hour of a point, and what has arrived since. */
function useHistory(device: DeviceView, point: string) {
	const { api, devices, connection, clock } = useServices();
	const series = useSignal(NO_SERIES);
	const state = useSignal<LoadState>('loading');
	const { id } = device;
	const freshMs = devices.valuesOf(id).value.get(point)?.freshMs ?? Number.POSITIVE_INFINITY;
	const limits = { gapMs: Math.max(shortestGapMs(SPAN_MS), freshMs), keepMs: SPAN_MS };
	const connected = connection.state.value === 'connected';

	useEffect(() => {
		let wanted = true;

		async function load(): Promise<void> {
			const nowMs = clock.now.peek();
			try {
				const answer = await api.get<SeriesView>(pathOf(device, point, { fromMs: nowMs - SPAN_MS, toMs: nowMs }));
				if (!wanted) return;
				series.value = seriesOf(answer, point, limits.gapMs);
				state.value = 'ready';
			} catch {
				// What is drawn stays while the server is away.
				if (wanted && state.peek() === 'loading') state.value = 'failed';
			}
		}

		void load();
		return () => {
			wanted = false;
		};
		// After a reconnection the stored hour is asked for again: it knows what arrived meanwhile.
	}, [api, clock, id, point, connected, limits.gapMs, series, state]);

	useSignalEffect(() => {
		const newest = devices.valuesOf(id).value.get(point);
		if (newest === undefined || state.value !== 'ready') return;
		const value = newest.quality === 'comm_error' ? null : newest.value;
		series.value = appended(series.peek(), newest.readAtMs, value, limits);
	});

	return { series, state };
}

interface HistoryProps {
	readonly device: DeviceView;
	readonly point: string;
}

/** One point over a period that a person chooses. Give it a `key` of device and point. */
export function History({ device, point }: HistoryProps) {
	const period = useSignal<Period>({ kind: 'hour' });
	const chosen = period.value;
	return (
		<>
			<PeriodChooser
				presets={['hour', 'day', 'week', 'month', 'year']}
				chosen={chosen}
				mostMs={MOST_MS}
				onChoose={(next) => (period.value = next)}
			/>
			{chosen.kind === 'hour' ? (
				<LastHour device={device} point={point} />
			) : (
				<Stored key={periodKey(chosen)} device={device} point={point} period={chosen} />
			)}
		</>
	);
}

/** The last hour, which goes on live. */
function LastHour({ device, point }: HistoryProps) {
	const { devices, clock } = useServices();
	const { series, state } = useHistory(device, point);
	const toMs = Math.max(series.value.timesMs.at(-1) ?? 0, clock.now.value);
	const firstMs = series.value.timesMs[0] ?? toMs;
	// What was first seen minutes ago would be a dash at the edge of an hour.
	const fromMs = Math.max(toMs - SPAN_MS, Math.min(firstMs, toMs - SHORTEST_SPAN_MS));
	if (state.value === 'loading') return <p class="quiet">{t('app.loading')}</p>;
	if (state.value === 'failed') return <p class="quiet">{t('error.unreachable')}</p>;
	const unit = devices.valuesOf(device.id).value.get(point)?.unit ?? '';
	return <Drawn series={series.value} span={{ fromMs, toMs }} point={point} unit={unit} period={th('period.hour')} />;
}

/** A longer period, or one that is over. */
function Stored({ device, point, period }: HistoryProps & { readonly period: Period }) {
	const { devices } = useServices();
	const span = useSpan(period);
	const polled = usePoll<SeriesView>(pathOf(device, point, span), AGAIN_MS);
	const values = devices.valuesOf(device.id).value;
	const { unit = '', freshMs = 0 } = values.get(point) ?? {};
	const [from, to] = [span.fromMs, span.toMs].map((ms) => formatTime(new Date(ms).toISOString()));
	return (
		<Answer of={polled}>
			{(answer) => (
				<Drawn
					series={seriesOf(answer, point, Math.max(shortestGapMs(span.toMs - span.fromMs), freshMs))}
					span={span}
					point={point}
					unit={unit}
					period={
						period.kind === 'own' ? th('chart.span', { from: from ?? '', to: to ?? '' }) : th(`period.${period.kind}`)
					}
				/>
			)}
		</Answer>
	);
}

interface DrawnProps {
	readonly series: Series;
	readonly span: Span;
	readonly point: string;
	readonly unit: string;
	/** Its name, for ears. */
	readonly period: string;
}

function Drawn({ series, span, point, unit, period }: DrawnProps) {
	const found = summaryOf(series);
	const lengthMs = span.toMs - span.fromMs;
	const isBand = lengthMs >= BAND_FROM_MS;
	const shown = useMemo(() => {
		if (!isBand) return { timesMs: series.timesMs, lines: [series.values] };
		const { timesMs, high, low } = bandOf(series, lengthMs / BAND_PARTS);
		return { timesMs, lines: [high, low] };
	}, [series, isBand, lengthMs]);
	if (found === null) return <p class="quiet">{th('chart.empty')}</p>;
	const numbers = { min: formatValue(found.min), max: formatValue(found.max), last: formatValue(found.last), unit };
	const summary = th('chart.summary', { point: pointName(point), period, gaps: gapsText(found.gaps), ...numbers });
	return (
		<>
			<Chart {...shown} summary={summary} unit={unit} {...span} />
			<p class="chart-note">{th(isBand ? 'chart.band' : 'chart.minMax', numbers)}</p>
		</>
	);
}
