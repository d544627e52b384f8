import type { FileLayer } from '../journal/file-layer.ts';
import { type Clock, type EpochMs, epochMs } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { Metrics } from '../system/metrics.ts';
import { type Dropped, DROPPED_LEVELS, DROPPED_REASONS } from './overflow.ts';

/** Steps that are remembered, the newest: of a box that drops a day each day more than two years. */
const MAX_STEPS = 1_000;

/** One thing that the history let go of, and when. */
export interface OverflowNote extends Dropped {
	readonly at: EpochMs;
}

/** What was let go, why, and of which time: for people, who find less than they look for. */
export interface OverflowLog extends Stoppable {
	note(what: Dropped): void;
	/** Oldest first. */
	notes(): readonly OverflowNote[];
	addMetrics(metrics: Metrics): void;
}

export interface OverflowLogDeps {
	readonly files: FileLayer;
	readonly path: string;
	readonly clock: Pick<Clock, 'now'>;
	readonly log: Logger;
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

function noteOf(value: unknown): OverflowNote | null {
	if (typeof value !== 'object' || value === null) return null;
	const found = new Map<string, unknown>(Object.entries(value));
	const level = DROPPED_LEVELS.find((one) => one === found.get('level'));
	const reason = DROPPED_REASONS.find((one) => one === found.get('reason'));
	const [at, bytes] = [found.get('at'), found.get('bytes')];
	if (level === undefined || reason === undefined || !isCount(at) || !isCount(bytes)) return null;
	const countOf = (name: string): number | null => {
		const count = found.get(name);
		return isCount(count) ? count : null;
	};
	const instantOf = (name: string): EpochMs | null => {
		const ms = countOf(name);
		return ms === null ? null : epochMs(ms);
	};
	return {
		at: epochMs(at),
		level,
		reason,
		bytes,
		day: instantOf('day'),
		until: instantOf('until'),
		readings: countOf('readings'),
		samples: countOf('samples'),
	};
}

function parse(text: string | null): readonly OverflowNote[] | null {
	if (text === null) return [];
	try {
		const list: unknown = JSON.parse(text);
		return Array.isArray(list) ? list.flatMap((one: unknown) => noteOf(one) ?? []) : null;
	} catch {
		return null;
	}
}

/** The list in a small file. It is written after each step, when there is room again; a damaged one begins anew, and that is said. */
export async function openOverflowLog({ files, path, clock, log }: OverflowLogDeps): Promise<OverflowLog> {
	const found = parse(await files.readText(path));
	if (found === null) log.error('overflow-log-damaged', { path });
	let notes = [...(found ?? [])];
	const counts = new Map<string, { readonly level: string; readonly reason: string; value: number }>();
	let writing: Promise<void> | null = null;
	let isDirty = false;

	async function write(): Promise<void> {
		while (isDirty) {
			isDirty = false;
			await files.writeText(path, `${JSON.stringify(notes)}\n`);
		}
	}

	return {
		note(what) {
			const { level, reason } = what;
			notes = [...notes, { at: clock.now(), ...what }].slice(-MAX_STEPS);
			const count = counts.get(`${level} ${reason}`) ?? { level, reason, value: 0 };
			counts.set(`${level} ${reason}`, count);
			count.value += 1;
			isDirty = true;
			writing ??= write()
				.catch((error: unknown) => log.warn('overflow-log-not-written', { path, reason: messageOf(error) }))
				.finally(() => (writing = null));
		},
		notes: () => notes,
		addMetrics(metrics) {
			metrics.add({
				name: 'history_dropped_total',
				help: 'Pieces of the history let go since the start: days of samples, files of sums',
				kind: 'counter',
				labels: ['level', 'reason'],
				read: () => [...counts.values()].map(({ level, reason, value }) => ({ value, labels: { level, reason } })),
			});
		},
		async stop() {
			await writing;
		},
	};
}
