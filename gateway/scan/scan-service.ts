import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';

import { type LinePlace, portOf } from '../../config/connection/connection.ts';
import type { SetTimer } from '../../core/journal/set-timer.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { Fault, messageOf, notFound } from '../../core/kernel/fault.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { FoundRegisters, FoundUnit, Scan, ScanProgress, ScanRequest, SweepContext } from './scan.ts';
import type { ScanRepository } from './scan-repository.ts';
import type { Hint } from './wiring-hints.ts';

/** Scans that are remembered; the oldest ended one makes room. */
export const MOST_SCANS = 20;
/** Scans that run at once. */
const MOST_RUNNING = 4;
/** What one scan waits for at once, at most; each ends with the signal of the scan. */
const MOST_AT_ONCE = 256;
/** Units and hints of one scan; 247 units are the most a line has. */
const MOST_FOUND = 1024;
const MOST_HINTS = 100;
/** The longest a scan takes; it then ends with what it has found. */
const TIME_LIMIT_MS = 6 * 3_600_000;
/** Shortest time between two tidings of the same scan, ms. */
const TELL_EVERY_MS = 500;

/** One way to scan. */
interface Sweep<R extends ScanRequest, T> {
	/** @throws Fault of the field at fault when it may not be done; nothing was sent then */
	check?(request: R): void | Promise<void>;
	run(request: R, context: SweepContext): Promise<T>;
}

export interface ScanServiceDeps {
	readonly serial: Sweep<Extract<ScanRequest, { kind: 'serial' }>, void>;
	readonly tcp: Sweep<Extract<ScanRequest, { kind: 'tcp' }>, void>;
	readonly registers: Sweep<Extract<ScanRequest, { kind: 'registers' }>, FoundRegisters>;
	/** The device file behind any name of a serial port; of a port that is not there the name itself. Never rejects. */
	readonly deviceOf: (path: string) => Promise<string>;
	readonly repository: ScanRepository;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

export interface ScanService extends Stoppable {
	/** @throws Fault `state-conflict` when the same port or host is scanned already, `rate-limited` when too many run, or what its check throws */
	start(request: ScanRequest, startedBy: string): Promise<Scan>;
	/** The newest first. */
	all(): readonly Scan[];
	/** @throws Fault `not-found` */
	get(id: string): Scan;
	/** Ends a scan that runs, and resolves once its lines are given back. One that has ended is as it was. @throws Fault `not-found` */
	cancel(id: string): Promise<Scan>;
	/** Told of each change, at most twice a second, and of each end. */
	listen(listener: (scan: Scan) => void): void;
}

/** Why a scan was ended from outside. */
class ScanEnd extends Error {
	override readonly name = 'ScanEnd';
	readonly state: 'cancelled' | 'done';

	constructor(state: ScanEnd['state'], message: string) {
		super(message);
		this.state = state;
	}
}

/** How a scan has ended whose sweep came to an end. */
function endOf({ reason }: AbortSignal): Pick<Scan, 'state' | 'reason'> {
	const why: unknown = reason;
	return why instanceof ScanEnd ? { state: why.state, reason: why.message } : { state: 'done', reason: null };
}

/** Ports and hosts as they were written, by what tells one from another. */
type Places = ReadonlyMap<string, string>;

interface Running {
	/** What it keeps others from scanning. */
	readonly places: Places;
	readonly control: AbortController;
	readonly ended: Promise<void>;
}

function etaOf(startMs: number, nowMs: number, done: number, total: number): number | null {
	if (done === 0 || total === 0) return null;
	return Math.max(0, Math.round((((nowMs - startMs) / done) * (total - done)) / 1000));
}

/** Runs scans one at a time on each line, and remembers what they found. */
export async function createScanService(deps: ScanServiceDeps): Promise<ScanService> {
	const { serial, tcp, registers, deviceOf, repository, clock, setTimer, log } = deps;
	const scans = new Map<string, Scan>((await repository.load()).map((scan) => [scan.id, scan]));
	const running = new Map<string, Running>();
	const listeners: ((scan: Scan) => void)[] = [];

	function tell(scan: Scan): void {
		for (const listener of listeners) listener(scan);
	}

	async function placesOf(request: ScanRequest): Promise<Places> {
		if (request.kind === 'tcp') return new Map([['the network', 'the network']]);
		const lines: readonly LinePlace[] =
			request.kind === 'serial' ? request.paths.map((path) => ({ path })) : [request.line];
		const places = lines.map(async (line) => {
			const port = 'path' in line ? { path: await deviceOf(line.path) } : line;
			return [portOf(port), portOf(line)] as const;
		});
		return new Map(await Promise.all(places));
	}

	function refuseBusy(wanted: Places): void {
		for (const [id, { places }] of running) {
			for (const [place, written] of wanted) {
				const theirs = places.get(place);
				if (theirs === undefined) continue;
				const name = theirs === written ? '' : ` as ${theirs}`;
				throw new Fault(
					'state-conflict',
					`${written} is being scanned already${name} (scan ${id}); wait until it is done, or cancel it`,
				);
			}
		}
		if (running.size >= MOST_RUNNING) throw new Fault('rate-limited', `${MOST_RUNNING} scans run already`);
	}

	async function check(request: ScanRequest): Promise<void> {
		if (request.kind === 'serial') await serial.check?.(request);
		else if (request.kind === 'tcp') await tcp.check?.(request);
		else await registers.check?.(request);
	}

	async function perform(request: ScanRequest, context: SweepContext): Promise<FoundRegisters | null> {
		if (request.kind === 'registers') return registers.run(request, context);
		await (request.kind === 'serial' ? serial.run(request, context) : tcp.run(request, context));
		return null;
	}

	function makeRoom(): void {
		for (const { id } of [...scans.values()].toSorted((one, other) => one.startedAt - other.startedAt)) {
			if (scans.size < MOST_SCANS) return;
			if (!running.has(id)) scans.delete(id);
		}
	}

	/** Changes the record of a scan and tells of it, not too often. */
	function createRecord(first: Scan) {
		const startMs = clock.monotonicMs();
		let toldMs = Number.NEGATIVE_INFINITY;
		let scan = first;

		function change(changes: Partial<Scan>, isNews: boolean): void {
			scan = { ...scan, ...changes };
			scans.set(scan.id, scan);
			const nowMs = clock.monotonicMs();
			if (!isNews && nowMs - toldMs < TELL_EVERY_MS) return;
			toldMs = nowMs;
			tell(scan);
		}

		return {
			get scan() {
				return scan;
			},
			change,
			progress(done: number, total: number, doing: string): void {
				const etaSeconds = etaOf(startMs, clock.monotonicMs(), done, total);
				const progress: ScanProgress = { done, total, etaSeconds, doing };
				change({ progress }, false);
			},
			found(unit: FoundUnit): void {
				if (scan.found.length < MOST_FOUND) change({ found: [...scan.found, unit] }, true);
			},
			hint(hint: Hint): void {
				if (scan.hints.length < MOST_HINTS) change({ hints: [...scan.hints, hint] }, true);
			},
		};
	}

	async function run(record: ReturnType<typeof createRecord>, control: AbortController): Promise<void> {
		const { id, request } = record.scan;
		const { signal } = control;
		const cancelTimer = setTimer(
			() =>
				control.abort(
					new ScanEnd('done', `it was ended after ${TIME_LIMIT_MS / 3_600_000} hours, the longest a scan takes`),
				),
			TIME_LIMIT_MS,
		);
		const context: SweepContext = {
			owner: `scan ${id.slice(0, 8)}`,
			signal,
			progress: (...progress) => record.progress(...progress),
			found: (unit) => record.found(unit),
			hint: (hint) => record.hint(hint),
		};
		let end: Pick<Scan, 'state' | 'reason' | 'registers'>;
		try {
			const registersFound = await perform(request, context);
			end = { ...endOf(signal), registers: registersFound };
		} catch (error) {
			end = { ...(signal.aborted ? endOf(signal) : { state: 'failed', reason: messageOf(error) }), registers: null };
			if (!(error instanceof Fault) && !signal.aborted) log.error('scan-failed', { id, reason: messageOf(error) });
		} finally {
			cancelTimer();
			running.delete(id);
		}
		const progress: ScanProgress = { ...record.scan.progress, etaSeconds: null, doing: '' };
		record.change({ ...end, progress, endedAt: clock.now() }, true);
		log.info('scan-ended', { id, kind: request.kind, state: end.state, found: record.scan.found.length });
		await repository.save([...scans.values()].filter(({ state }) => state !== 'running'));
	}

	function get(id: string): Scan {
		const scan = scans.get(id);
		if (scan === undefined) throw notFound('scan', id);
		return scan;
	}

	async function cancel(id: string, why: string): Promise<Scan> {
		get(id);
		const one = running.get(id);
		one?.control.abort(new ScanEnd('cancelled', why));
		await one?.ended;
		return get(id);
	}

	return {
		async start(request, startedBy) {
			await check(request);
			const places = await placesOf(request);
			refuseBusy(places);
			makeRoom();
			const progress: ScanProgress = { done: 0, total: 0, etaSeconds: null, doing: 'it begins' };
			const record = createRecord({
				id: randomUUID(),
				request,
				state: 'running',
				startedBy,
				startedAt: clock.now(),
				endedAt: null,
				reason: null,
				progress,
				found: [],
				registers: null,
				hints: [],
			});
			const { id } = record.scan;
			const control = new AbortController();
			setMaxListeners(MOST_AT_ONCE, control.signal);
			record.change({}, true);
			// Not before it is known as running.
			const ended = Promise.resolve()
				.then(() => run(record, control))
				.catch((error: unknown) => log.error('scan-not-ended', { id, reason: messageOf(error) }));
			running.set(id, { places, control, ended });
			log.info('scan-started', { id, kind: request.kind });
			return record.scan;
		},
		all: () => [...scans.values()].toSorted((one, other) => other.startedAt - one.startedAt),
		get,
		cancel: (id) => cancel(id, 'somebody cancelled it'),
		listen: (listener) => void listeners.push(listener),
		async stop() {
			await Promise.all([...running.keys()].map((id) => cancel(id, 'the gateway stops')));
		},
	};
}
