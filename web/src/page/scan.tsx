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
import { useServices } from '../state/services.ts';
import { tf } from '../text-field.ts';
import type { ScanSummaryView, ScanView } from '../wire-field.ts';

const LIST_PERIOD_MS = 5_000;
const RUNNING_PERIOD_MS = 1_000;

/** Who is there: a new scan, the last ones, or one of them. */
export function ScanPage() {
	const { place } = useServices();
	const { id } = place.value;
	return (
		<>
			<Back to="lines" />
			<div class="title-row">
				<h1>{tf('scan.title')}</h1>
				<span class="spring" />
				{id !== null && (
					<a class="button" href={link('scan')}>
						{tf('scan.again')}
					</a>
				)}
			</div>
			{id === null ? (
				<>
					<ScanForm />
					<LastScans />
				</>
			) : (
				<OneScan id={id} />
			)}
		</>
	);
}

function OneScan({ id }: { readonly id: string }) {
	const polled = usePoll<ScanView>(`/api/v1/scans/${encodeURIComponent(id)}`, RUNNING_PERIOD_MS);
	return <Answer of={polled}>{(scan) => <ScanResult scan={scan} onChange={polled.reload} />}</Answer>;
}

function LastScans() {
	const scans = usePoll<readonly ScanSummaryView[]>('/api/v1/scans', LIST_PERIOD_MS);
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
