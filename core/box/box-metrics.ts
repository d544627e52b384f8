import type { HistoryStats } from '../history/history.ts';
import type { JournalStats } from '../journal/journal.ts';
import type { Metrics, MetricValue } from '../system/metrics.ts';

const one = (value: number): readonly MetricValue[] => [{ value }];

/** Numbers that gateway and hub both have. */
export function addBoxMetrics(
	metrics: Metrics,
	{
		journal,
		history,
		samples,
		realtime,
	}: {
		readonly journal: () => JournalStats;
		readonly history: () => HistoryStats;
		readonly samples: () => number;
		readonly realtime: () => number;
	},
): void {
	metrics.add({
		name: 'samples_accepted_total',
		help: 'Samples accepted since the start',
		kind: 'counter',
		read: () => one(samples()),
	});
	metrics.add({
		name: 'journal_bytes',
		help: 'Bytes of all journal files',
		kind: 'gauge',
		read: () => one(journal().bytes),
	});
	metrics.add({
		name: 'journal_segments',
		help: 'Journal segments held',
		kind: 'gauge',
		read: () => one(journal().segments),
	});
	metrics.add({
		name: 'journal_pending_samples',
		help: 'Samples waiting for their commit',
		kind: 'gauge',
		read: () => one(journal().pendingSamples),
	});
	metrics.add({
		name: 'journal_commits_total',
		help: 'Commits since the start',
		kind: 'counter',
		read: () => one(journal().commits),
	});
	metrics.add({
		name: 'journal_syncs_total',
		help: 'Flushes of commits since the start',
		kind: 'counter',
		read: () => one(journal().syncs),
	});
	metrics.add({
		name: 'journal_written_bytes_total',
		help: 'Bytes written to the journal since the start',
		kind: 'counter',
		read: () => one(journal().writtenBytes),
	});
	metrics.add({
		name: 'history_bytes',
		help: 'Bytes of all day files of the sealed history',
		kind: 'gauge',
		read: () => one(history().bytes),
	});
	metrics.add({
		name: 'history_days',
		help: 'Days of which the sealed history has raw values',
		kind: 'gauge',
		read: () => one(history().days),
	});
	metrics.add({
		name: 'history_losses_total',
		help: 'Damaged or unfinished places found in the sealed history since the start',
		kind: 'counter',
		read: () => one(history().losses),
	});
	metrics.add({
		name: 'realtime_connections',
		help: 'Socket.IO connections',
		kind: 'gauge',
		read: () => one(realtime()),
	});
}
