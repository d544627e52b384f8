import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { formatValue, pointName } from '../format.ts';
import { NO_SERIES, appended, summaryOf, withGaps } from '../state/series.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { DeviceView, SeriesView } from '../wire.ts';
import { Chart } from './chart.tsx';

const SPAN_MS = 3_600_000;
/** What is drawn at least, however short the history is. */
const SHORTEST_SPAN_MS = 180_000;
const MAX_POINTS = 1_000;
/** Points of the answer stand for this long each; a gap is longer than some of them. */
const SHORTEST_GAP_MS = (SPAN_MS / MAX_POINTS) * 3;

type LoadState = 'loading' | 'ready' | 'failed';

/** The stored hour of a point, and what has arrived since. */
function useHistory(device: DeviceView, point: string) {
	const { api, devices, connection, clock } = useServices();
	const series = useSignal(NO_SERIES);
	const state = useSignal<LoadState>('loading');
	const { id } = device;
	const freshMs = devices.valuesOf(id).value.get(point)?.freshMs ?? Number.POSITIVE_INFINITY;
	const limits = { gapMs: Math.max(SHORTEST_GAP_MS, freshMs), keepMs: SPAN_MS };
	const connected = connection.state.value === 'connected';

	useEffect(() => {
		let wanted = true;

		async function load(): Promise<void> {
			const nowMs = clock.now.peek();
			const query = new URLSearchParams({
				points: point,
				from: new Date(nowMs - SPAN_MS).toISOString(),
				to: new Date(nowMs).toISOString(),
				max_points: String(MAX_POINTS),
			});
			try {
				const answer = await api.get<SeriesView>(
					`/api/v1/devices/${encodeURIComponent(id)}/series?${query.toString()}`,
				);
				if (!wanted) return;
				const found = answer.points[point];
				series.value = withGaps({ timesMs: found?.t ?? [], values: found?.v ?? [] }, limits.gapMs);
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

/** The last hour of one point. Give it a `key` of device and point. */
export function History({ device, point }: { readonly device: DeviceView; readonly point: string }) {
	const { devices, clock } = useServices();
	const { series, state } = useHistory(device, point);
	const unit = devices.valuesOf(device.id).value.get(point)?.unit ?? '';
	const found = summaryOf(series.value);
	const toMs = Math.max(series.value.timesMs.at(-1) ?? 0, clock.now.value);
	const firstMs = series.value.timesMs[0] ?? toMs;
	// What was first seen minutes ago would be a dash at the edge of an hour.
	const fromMs = Math.max(toMs - SPAN_MS, Math.min(firstMs, toMs - SHORTEST_SPAN_MS));
	const name = pointName(point);
	if (state.value === 'loading') return <p class="quiet">{t('app.loading')}</p>;
	if (state.value === 'failed') return <p class="quiet">{t('error.unreachable')}</p>;
	if (found === null) return <p class="quiet">{t('device.noSeries')}</p>;
	const numbers = { min: formatValue(found.min), max: formatValue(found.max), last: formatValue(found.last), unit };
	const summary = t('device.summary', { point: name, gaps: found.gaps, ...numbers });
	return (
		<>
			<Chart series={series.value} summary={summary} unit={unit} fromMs={fromMs} toMs={toMs} />
			<p class="chart-note">{t('device.minMax', numbers)}</p>
		</>
	);
}
