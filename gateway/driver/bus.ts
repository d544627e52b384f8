import { type SetTimer, systemTimer } from '../../core/journal/set-timer.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { type BusLease, createLeaseDesk } from './bus-lease.ts';
import { type BusPriority, createBusQueue, type Job, type RequestOptions } from './bus-queue.ts';
import type { LineStats } from './driver.ts';
import { createLineKeeper } from './line-keeper.ts';
import { createLineMeter, type LineMeter } from './line-meter.ts';
import { isWrite, type ModbusAnswer, type ModbusExchange, type ModbusLine } from './modbus/wire/modbus-line.ts';
import { ModbusFault } from './modbus/wire/modbus-fault.ts';
import { createUtilisation } from './utilisation.ts';

/** After so many requests in a row without any answer the connection itself is suspected and made anew. */
const SILENT_BEFORE_RENEWAL = 8;

/** What the bus itself knows of its line. */
export type BusStats = Omit<LineStats, 'overrun'>;

/** Owner of one line: nobody else touches its bytes. Keeps it open, as many requests under way as it takes, and counts what happens. */
export interface Bus extends Stoppable {
	/** e.g. `tcp 192.168.1.20:502` */
	readonly name: string;
	/**
	 * Asks when it is this request's turn: writes before commands, tests, polls, scans. A line that rests or is being opened is waited for;
	 * one that failed is tried anew, except for a poll.
	 * @throws ModbusFault, or Fault `unavailable` when the line failed or the caller gave up, `rate-limited` when too many wait,
	 * `timeout` when the line was not free in time
	 */
	request(exchange: ModbusExchange, priority: BusPriority, options?: RequestOptions): Promise<ModbusAnswer>;
	/**
	 * The line for one owner alone.
	 * @param owner who it is, for the sentences that others get
	 * @param ttlMs time without use after which it ends by itself, 100 to 600 000
	 * @throws Fault `state-conflict` when somebody else holds it
	 */
	lease(owner: string, ttlMs: number): BusLease;
	/** Whether a request would go to the wire now or as soon as the resting line is opened. */
	readonly isOpen: boolean;
	/** Requests that may be under way at once, 1 while the line is not open. */
	readonly depth: number;
	/** Whether polls wait because somebody has the line for himself. */
	readonly isLeased: boolean;
	/** Whether its port is lent to somebody. */
	readonly isSuspended: boolean;
	/** Requests that wait or are under way. */
	readonly pending: number;
	stats(): BusStats;
	/** The percentile of the line's latency, ms. */
	latencyP99Ms(): number | null;
	/** Counts periods in which a device had no turn. */
	skipped(periods: number): void;
	/** `null`: the connection is kept. Otherwise it ends when it was not used for this long, ms, and the next request opens it. */
	restAfter(idleMs: number | null): void;
	/** Ends a connection that is not to be kept now, unless it is in use. */
	rest(): void;
	/** What made the line fail may be over: it is tried at once. Nothing happens to a line that did not fail. */
	retry(): void;
	/** Lets go of the port until the answer is called; requests are refused with this reason meanwhile. */
	suspend(reason: string): Promise<() => void>;
	/** Its counters by unit and its recorder of frames, for diagnosis. */
	readonly meter: LineMeter;
}

export interface BusListener {
	opened(): void;
	/** The line cannot be used, for this reason. Called once for each new reason. */
	failed(reason: string): void;
	/** A lease ended, or a lent port came back: who was kept waiting may go on. */
	freed?(): void;
}

export interface BusDeps {
	readonly name: string;
	/** A fresh connection for each attempt: a used one is never opened again. */
	readonly createLine: (meter: LineMeter) => ModbusLine;
	readonly listener: BusListener;
	readonly clock: Clock;
	readonly log: Logger;
	readonly setTimer?: SetTimer;
	readonly random?: () => number;
	/** As `restAfter`; absent: the connection is kept. */
	readonly idleMs?: number | null;
}

const depthOf = (line: ModbusLine | null): number => line?.depth ?? 1;

/** A write that wants silence around it has the line to itself; nothing else is under way. */
const isGuarded = ({ exchange }: Job): boolean => isWrite(exchange) && exchange.guardMs > 0;

/** What still goes while somebody has the line for himself: a write is a person's or a rule's, and seldom. */
const passesLease = ({ priority }: Job): boolean => priority === 'write' || priority === 'command';

export function createBus(deps: BusDeps): Bus {
	const { name, createLine, listener, clock, log, setTimer = systemTimer, random } = deps;
	const meter = createLineMeter(clock);
	const utilisation = createUtilisation(clock.monotonicMs());
	const stopping = new AbortController();
	let idleMs: number | null = deps.idleMs ?? null;
	let underWay = 0;
	let isGuarding = false;
	let busySinceMs = 0;
	let silentCount = 0;
	let skippedPeriods = 0;
	let endIdleTimer: (() => void) | null = null;
	let suspendedBy: string | null = null;

	const queue = createBusQueue(name, setTimer, () => leases.current?.owner ?? null);
	const leases = createLeaseDesk({ name, setTimer, ask: enqueue, changed: leaseChanged });
	const keeper = createLineKeeper({
		name,
		createLine: () => createLine(meter),
		opened() {
			listener.opened();
			pump();
			watchIdle();
		},
		failed(reason, isNews) {
			queue.refuse(() => notOpen(reason));
			if (isNews) listener.failed(reason);
		},
		setTimer,
		log,
		random,
	});

	const notOpen = (why: string): Fault => new Fault('unavailable', `${name} is not open: ${why}`);

	function leaseChanged(ended: BusLease | null): void {
		if (ended === null) {
			endIdleTimer?.();
			keeper.want(true);
			return;
		}
		queue.refuse(
			() => new Fault('state-conflict', `the lease of ${ended.owner} on ${name} has ended`),
			({ lease }) => lease === ended,
		);
		listener.freed?.();
		pump();
		watchIdle();
	}

	/** Keeps the line silent for a device that wants it. */
	function hold(ms: number): Promise<void> {
		if (ms === 0 || stopping.signal.aborted) return Promise.resolve();
		return new Promise((resolve) => {
			const cancel = setTimer(done, ms);
			stopping.signal.addEventListener('abort', done);
			function done(): void {
				cancel();
				stopping.signal.removeEventListener('abort', done);
				resolve();
			}
		});
	}

	function begin(): void {
		if (underWay === 0) busySinceMs = clock.monotonicMs();
		underWay += 1;
		endIdleTimer?.();
	}

	function end(): void {
		underWay -= 1;
		if (underWay > 0) return;
		utilisation.busy(busySinceMs, clock.monotonicMs());
		watchIdle();
	}

	/** The request is over. @returns what tells its caller */
	async function transact(open: ModbusLine, job: Job, guardMs: number): Promise<() => void> {
		try {
			await hold(guardMs);
			const answer = await open.transact(job.exchange);
			silentCount = 0;
			keeper.proved();
			return () => job.resolve(answer);
		} catch (error) {
			const isSilence = error instanceof ModbusFault && error.failure === 'timeout';
			silentCount = isSilence ? silentCount + 1 : 0;
			return () => job.reject(error);
		}
	}

	async function perform(open: ModbusLine, job: Job): Promise<void> {
		const guardMs = isWrite(job.exchange) ? job.exchange.guardMs : 0;
		isGuarding = isGuarded(job);
		begin();
		const tell = await transact(open, job, guardMs);
		// Whoever waits for the answer finds the line free again, unless it has to be silent first.
		if (guardMs === 0) end();
		tell();
		if (guardMs > 0) {
			await hold(guardMs);
			isGuarding = false;
			end();
		}
		if (silentCount >= SILENT_BEFORE_RENEWAL) {
			silentCount = 0;
			// No reason: the devices are known to be silent already, and the line itself did not fail.
			if (keeper.line === open) keeper.renew();
		}
		pump();
	}

	const mayGo = (job: Job): boolean => {
		const held = leases.current;
		return held === null || job.lease === held || passesLease(job);
	};
	const mayStart = (job: Job): boolean => underWay === 0 || !isGuarded(job);

	function pump(): void {
		for (let open = keeper.line; open !== null; open = keeper.line) {
			if (isGuarding || underWay >= depthOf(open)) return;
			const job = queue.take(mayGo, mayStart);
			if (job === null) return;
			void perform(open, job);
		}
	}

	/** Nothing is asked: a connection that is not to be kept ends after a while. */
	function watchIdle(): void {
		endIdleTimer?.();
		endIdleTimer = null;
		if (idleMs === null || underWay + queue.length > 0 || leases.current !== null) return;
		endIdleTimer = setTimer(rest, idleMs);
	}

	function rest(): void {
		if (idleMs !== null && underWay + queue.length === 0 && leases.current === null) keeper.rest();
	}

	function enqueue(
		exchange: ModbusExchange,
		priority: BusPriority,
		lease: object | null,
		options: RequestOptions,
	): Promise<ModbusAnswer> {
		// A poll comes again by itself; whoever else asks wants to know whether the line is still down.
		const isPatient = priority === 'poll';
		const refusal = stopping.signal.aborted
			? 'it is not read any more'
			: (suspendedBy ?? (isPatient ? keeper.reason : null));
		if (keeper.line === null && refusal !== null) return Promise.reject(notOpen(refusal));
		const answer = queue.add(exchange, priority, lease, options);
		keeper.want(!isPatient);
		pump();
		return answer;
	}

	if (idleMs === null) keeper.want(false);

	return {
		name,
		request: (exchange, priority, options = {}) => enqueue(exchange, priority, null, options),
		lease: (owner, ttlMs) => leases.take(owner, ttlMs),
		get isOpen() {
			if (keeper.line !== null) return true;
			return idleMs !== null && suspendedBy === null && keeper.state !== 'failed';
		},
		get depth() {
			return depthOf(keeper.line);
		},
		get isLeased() {
			return leases.current !== null;
		},
		get isSuspended() {
			return suspendedBy !== null;
		},
		get pending() {
			return underWay + queue.length;
		},
		stats: () => ({
			line: name,
			state: keeper.state,
			reason: keeper.reason,
			...meter.counters,
			skippedPeriods,
			leasedTo: leases.current?.owner ?? null,
			utilisation: utilisation.share(clock.monotonicMs()),
			latencyP50Ms: meter.latency.percentileMs(0.5),
			latencyP99Ms: meter.latency.percentileMs(0.99),
		}),
		latencyP99Ms: () => meter.latency.percentileMs(0.99),
		skipped(periods) {
			skippedPeriods += periods;
		},
		restAfter(ms) {
			idleMs = ms;
			if (ms === null) keeper.want(false);
			else watchIdle();
		},
		rest,
		retry() {
			if (keeper.state === 'failed' && suspendedBy === null) keeper.want(true);
		},
		async suspend(reason) {
			suspendedBy = reason;
			queue.refuse(() => notOpen(reason));
			await keeper.suspend(reason);
			return () => {
				suspendedBy = null;
				keeper.resume();
				listener.freed?.();
			};
		},
		meter,
		async stop() {
			stopping.abort();
			endIdleTimer?.();
			leases.current?.end();
			const ended = keeper.stop();
			queue.refuse(() => notOpen('the gateway stops reading this line'));
			await ended;
		},
	};
}
