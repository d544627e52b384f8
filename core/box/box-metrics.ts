import type { JournalStats } from '../journal/journal.ts';
import type { Metrics, MetricValue } from '../system/metrics.ts';

const one = (value: number): readonly MetricValue[] => [{ value }];

/** Numbers that gateway and hub both have. */
export function addBoxMetrics(
	metrics: Metrics,
	{
		journal,
		samples,
		realtime,
	}: { readonly journal: () => JournalStats; readonly samples: () => number; readonly realtime: () => number },
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
		name: 'realtime_connections',
		help: 'Socket.IO connections',
		kind: 'gauge',
		read: () => one(realtime()),
	});
}
