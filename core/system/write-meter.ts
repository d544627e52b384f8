import type { SetTimer } from '../journal/set-timer.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { openSettingsStore } from '../storage/settings-store.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A rate of less time says nothing: what a start writes would count as if it went on all day. */
const LEAST_MEASURED_MS = 10 * 60_000;
/** What reached the device and no stream has counted: bookkeeping of the file system, small files, other programs. */
const OTHER = 'other';

/** Bytes by stream. */
export type WrittenBytes = Readonly<Record<string, number>>;

/** A stretch of running time. Time in which the box was off is in none. */
interface Stretch {
	readonly ms: number;
	readonly bytes: WrittenBytes;
}

export interface Written {
	/** Since this start. */
	readonly bytes: WrittenBytes;
	/** A day's worth at the pace of the last 24 hours of running, earlier starts included; `null` in the first minutes. */
	readonly bytesPerDay: WrittenBytes | null;
	/** How long that pace was measured, at most 24 hours and one. */
	readonly measuredMs: number;
}

/** Counts what is written to the medium of the data folder. */
export interface WriteMeter extends Stoppable {
	/** The counter of a stream, e.g. `journal`. */
	counter(stream: string): (bytes: number) => void;
	/** A stream that is counted elsewhere: how many bytes since the start. */
	watch(stream: string, bytes: () => number): void;
	written(): Written;
}

export interface WriteMeterDeps {
	/** Where earlier hours are kept; written once an hour and at the end. */
	readonly path: string;
	/** What the device under the data folder was given; `null` where nobody knows. */
	readonly deviceBytes: () => number | null;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** From a file that somebody may have edited. */
const isStretch = (stretch: Stretch | null): stretch is Stretch =>
	isCount(stretch?.ms) &&
	stretch.ms <= DAY_MS &&
	typeof stretch.bytes === 'object' &&
	stretch.bytes !== null &&
	Object.values(stretch.bytes).every(isCount);

function sumOf(stretches: readonly Stretch[]): Stretch {
	const bytes: Record<string, number> = {};
	let ms = 0;
	for (const stretch of stretches) {
		ms += stretch.ms;
		for (const [stream, count] of Object.entries(stretch.bytes)) bytes[stream] = (bytes[stream] ?? 0) + count;
	}
	return { ms, bytes };
}

/** The newest ones, until they are a day. */
function lastDay(stretches: readonly Stretch[]): readonly Stretch[] {
	let ms = 0;
	let from = stretches.length;
	while (from > 0 && ms < DAY_MS) {
		from -= 1;
		ms += stretches[from]?.ms ?? 0;
	}
	return stretches.slice(from);
}

/** Opens the meter with the hours that it had measured before. */
export async function openWriteMeter(deps: WriteMeterDeps): Promise<WriteMeter> {
	const { clock, setTimer, log, deviceBytes } = deps;
	const store = await openSettingsStore<{ stretches: readonly Stretch[] }>({
		path: deps.path,
		defaults: { stretches: [] },
		log,
	});
	const found = store.get().stretches;
	let closed: readonly Stretch[] = Array.isArray(found) ? found.filter(isStretch) : [];
	const counts = new Map<string, number>();
	const watched = new Map<string, () => number>();
	const deviceBefore = deviceBytes() ?? 0;
	let other = 0;
	let sinceMs = clock.monotonicMs();
	let before: WrittenBytes = {};

	function total(): WrittenBytes {
		for (const [stream, bytes] of watched) counts.set(stream, bytes());
		let own = 0;
		for (const count of counts.values()) own += count;
		const all = (deviceBytes() ?? deviceBefore) - deviceBefore;
		// The streams are ahead of the device until it has everything; a counter never falls.
		other = Math.max(other, all - own);
		return { ...Object.fromEntries(counts), [OTHER]: other };
	}

	function current(): Stretch {
		const grown = Object.entries(total()).map(([stream, count]) => [stream, count - (before[stream] ?? 0)] as const);
		return { ms: Math.max(0, clock.monotonicMs() - sinceMs), bytes: Object.fromEntries(grown) };
	}

	async function save(): Promise<void> {
		closed = lastDay([...closed, current()]);
		sinceMs = clock.monotonicMs();
		before = total();
		await store.update(() => ({ stretches: closed }));
	}

	let cancel = setTimer(saveHourly, HOUR_MS);
	function saveHourly(): void {
		save().catch((error: unknown) => log.warn('write-meter-not-saved', { reason: messageOf(error) }));
		cancel = setTimer(saveHourly, HOUR_MS);
	}

	return {
		counter(stream) {
			counts.set(stream, counts.get(stream) ?? 0);
			return (bytes) => void counts.set(stream, (counts.get(stream) ?? 0) + bytes);
		},
		watch: (stream, bytes) => void watched.set(stream, bytes),
		written() {
			const { ms, bytes } = sumOf(lastDay([...closed, current()]));
			const perDay = (count: number): number => Math.round((count * DAY_MS) / ms);
			return {
				bytes: total(),
				bytesPerDay:
					ms < LEAST_MEASURED_MS
						? null
						: Object.fromEntries(Object.entries(bytes).map(([stream, count]) => [stream, perDay(count)])),
				measuredMs: ms,
			};
		},
		async stop() {
			cancel();
			await save().catch((error: unknown) => log.warn('write-meter-not-saved', { reason: messageOf(error) }));
		},
	};
}
