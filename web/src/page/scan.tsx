import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { Answer } from '../part/answer.tsx';
import { Age } from '../part/age.tsx';
import { Back } from '../part/back.tsx';
import { PolledColumns } from '../part/list.tsx';
import { ScanForm } from '../part/scan-form.tsx';
import { ScanResult } from '../part/scan-result.tsx';
import { Status } from '../part/status.tsx';
import { link } from '../router.ts';
import { SCAN_LOOK } from '../state/line-look.ts';
import { usePoll } from '../state/poll.ts';
import { type ScanNews, useScanNews } from '../state/scan-news.ts';
import { useServices } from '../state/services.ts';
import { tf } from '../text-field.ts';
import { tr } from '../text-registers.ts';
import type { ScanSummaryView, ScanView } from '../wire-field.ts';

/** How often it is asked while the server does not tell. */
const LIST_PERIOD_MS = 5_000;
const RUNNING_PERIOD_MS = 1_000;

/** Who is there: a new scan, the last ones, or one of them. */
export function ScanPage() {
	const { place } = useServices();
	const news = useScanNews();
	const { id } = place.value;
	return (
		<>
			<Back to="lines" />
			<div class="title-row">
				<h1>{tf('scan.title')}</h1>
				<span class="spring" />
				{id === null ? (
					<a class="button" href={link('registers')}>
						{tr('registers.title')}
					</a>
				) : (
					<a class="button" href={link('scan')}>
						{tf('scan.again')}
					</a>
				)}
			</div>
			{id === null ? (
				<>
					<ScanForm />
					<LastScans news={news} />
				</>
			) : (
				<OneScan id={id} news={news} />
			)}
		</>
	);
}

/** What is worth another question; how far a scan is comes with the news. */
const changeOf = ({ state, found_count: found, hint_count: hints }: ScanSummaryView): string =>
	`${state} ${found} ${hints}`;

/** A scan with the progress that was told last. */
function withProgress(scan: ScanView, told: ScanSummaryView | undefined): ScanView {
	if (told === undefined) return scan;
	const { done, total, eta_seconds, doing } = told;
	return { ...scan, done, total, eta_seconds, doing };
}

function OneScan({ id, news: { isLive, newest } }: { readonly id: string; readonly news: ScanNews }) {
	const told = useComputed(() => newest.value.get(id));
	const change = useComputed(() => told.value && changeOf(told.value));
	const isOver = useSignal(false);
	const period = isLive.value || isOver.value ? null : RUNNING_PERIOD_MS;
	const polled = usePoll<ScanView>(`/api/v1/scans/${encodeURIComponent(id)}`, period, change);
	const state = polled.data.value?.state ?? 'running';
	useEffect(() => {
		isOver.value = state !== 'running';
	}, [state, isOver]);
	return (
		<Answer of={polled}>
			{(scan) => <ScanResult scan={withProgress(scan, told.value)} onChange={polled.reload} />}
		</Answer>
	);
}

function LastScans({ news: { isLive, newest } }: { readonly news: ScanNews }) {
	const change = useComputed(() => Array.from(newest.value.values(), changeOf).join());
	const scans = usePoll<readonly ScanSummaryView[]>('/api/v1/scans', isLive.value ? null : LIST_PERIOD_MS, change);
	return (
		<>
			<h2 class="section-title">{tf('scan.last')}</h2>
			<PolledColumns
				list={scans}
				columns={[
					{
						title: { words: tf('scan.what') },
						cell: ({ id, subject }) => (
							<a class="cell-link" href={link('scan', id)}>
								{subject}
							</a>
						),
					},
					{
						title: { words: tf('scan.state') },
						cell: ({ state, reason }) => (
							<>
								<Status {...SCAN_LOOK[state]}>{tf(`scan.${state}`)}</Status>
								{reason !== null && <small class="reason">{reason}</small>}
							</>
						),
					},
					{ title: { words: tf('scan.found') }, numeric: true, cell: ({ found_count: found }) => found },
					{
						title: { words: tf('scan.when') },
						cell: ({ started_at: at }) => <Age atMs={Date.parse(at)} />,
					},
				]}
				rowKey={({ id }) => id}
				empty={tf('scan.none')}
			/>
		</>
	);
}
