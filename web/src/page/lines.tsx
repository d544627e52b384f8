import { type Column, Columns } from '../part/columns.tsx';
import type { IconName } from '../part/icon.tsx';
import { Status, type Tone } from '../part/status.tsx';
import { NONE, formatCount, formatShare } from '../format.ts';
import { usePoll } from '../state/poll.ts';
import { type TextKey, t } from '../text.ts';
import type { LineView } from '../wire.ts';

const PERIOD_MS = 2_000;

/** Line states by their looks; an unlisted one is shown in its own words. */
const LOOK: Readonly<Record<string, { readonly tone: Tone; readonly icon: IconName }>> = {
	open: { tone: 'ok', icon: 'ok' },
	ok: { tone: 'ok', icon: 'ok' },
	online: { tone: 'ok', icon: 'ok' },
	opening: { tone: 'idle', icon: 'wait' },
	connecting: { tone: 'idle', icon: 'wait' },
	quarantine: { tone: 'warn', icon: 'degraded' },
	degraded: { tone: 'warn', icon: 'degraded' },
	closed: { tone: 'bad', icon: 'offline' },
	offline: { tone: 'bad', icon: 'offline' },
	failed: { tone: 'bad', icon: 'offline' },
};
const OTHER = { tone: 'idle', icon: 'unknown' } as const;

const latency = (ms: number | null): string => (ms === null ? NONE : ms.toFixed(1));

const counter = (title: TextKey, read: (line: LineView) => number): Column<LineView> => ({
	title,
	numeric: true,
	cell: (line) => formatCount(read(line)),
});

const COLUMNS: readonly Column<LineView>[] = [
	{ title: 'lines.line', cell: ({ line }) => <strong class="id">{line}</strong> },
	{
		title: 'lines.state',
		cell: ({ state, reason }) => (
			<>
				<Status {...(LOOK[state] ?? OTHER)}>{state}</Status>
				{reason !== null && <small class="reason">{reason}</small>}
			</>
		),
	},
	{ title: 'lines.busy', numeric: true, cell: ({ utilisation }) => formatShare(utilisation) },
	{
		title: 'lines.latency',
		numeric: true,
		cell: (line) => `${latency(line.latency_p50_ms)} / ${latency(line.latency_p99_ms)} ms`,
	},
	counter('lines.requests', (line) => line.requests),
	counter('lines.answers', (line) => line.answers),
	counter('lines.timeouts', (line) => line.timeouts),
	counter('lines.exceptions', (line) => line.exceptions),
	counter('lines.crc', (line) => line.crc_errors),
	counter('lines.stray', (line) => line.stray_frames),
	counter('lines.quarantines', (line) => line.quarantines),
	counter('lines.skipped', (line) => line.skipped_periods),
];

/** The wires, and how well they are used. */
export function LinesPage() {
	const { data, error } = usePoll<readonly LineView[]>('/api/v1/lines', PERIOD_MS);
	const lines = data.value;
	return (
		<>
			<div class="title-row">
				<h1>{t('lines.title')}</h1>
			</div>
			{error.value !== null && (
				<p class="mistake" role="alert">
					{error.value}
				</p>
			)}
			{lines === null && <p class="quiet">{t('app.loading')}</p>}
			{lines?.length === 0 && <p class="quiet">{t('lines.empty')}</p>}
			{lines !== null && lines.length > 0 && <Columns columns={COLUMNS} rows={lines} rowKey={({ line }) => line} />}
		</>
	);
}
