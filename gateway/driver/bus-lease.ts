import type { SetTimer } from '../../core/journal/set-timer.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { BusPriority, RequestOptions } from './bus-queue.ts';
import type { ModbusAnswer, ModbusExchange } from './modbus/wire/modbus-line.ts';

/**
 * A line that somebody has for itself: the polls, tests and scans of others wait until it ends; their writes and commands still go,
 * between its requests. It ends by itself when it was not used for its time to live, so that nobody can keep it by crashing.
 */
export interface BusLease {
	/** Who holds it, e.g. `scan 4f2c`. */
	readonly owner: string;
	readonly isHeld: boolean;
	/**
	 * Like `Bus.request`; renews the lease. Absent priority: `scan`.
	 * @throws what `Bus.request` throws, and Fault `state-conflict` once the lease has ended
	 */
	request(
		exchange: ModbusExchange,
		options?: RequestOptions & { readonly priority?: BusPriority },
	): Promise<ModbusAnswer>;
	/** Says that the owner is alive, between requests that lie far apart. */
	renew(): void;
	/** Gives the line back. Idempotent. */
	end(): void;
}

/** Least and longest time to live, ms. */
const LEAST_TTL_MS = 100;
const MOST_TTL_MS = 600_000;

export interface LeaseDeps {
	/** e.g. `tcp 192.168.1.20:502` */
	readonly name: string;
	readonly setTimer: SetTimer;
	/** Puts a request of the lease into the queue. */
	readonly ask: (
		exchange: ModbusExchange,
		priority: BusPriority,
		lease: BusLease,
		options: RequestOptions,
	) => Promise<ModbusAnswer>;
	/** The lease has begun or ended; `ended`: requests of its that still wait are to be refused. */
	readonly changed: (ended: BusLease | null) => void;
}

/** Gives a line to one at a time. */
export interface LeaseDesk {
	/** @throws Fault `state-conflict` when somebody else holds the line; `malformed` when the time to live is no sensible one */
	take(owner: string, ttlMs: number): BusLease;
	readonly current: BusLease | null;
}

export function createLeaseDesk({ name, setTimer, ask, changed }: LeaseDeps): LeaseDesk {
	let current: BusLease | null = null;

	function create(owner: string, ttlMs: number): BusLease {
		let cancelTimer: (() => void) | null = null;
		let underWay = 0;

		function end(): void {
			cancelTimer?.();
			cancelTimer = null;
			if (current !== lease) return;
			current = null;
			changed(lease);
		}

		/** While one of its requests waits or is on the wire the lease lives, however slow the line is. */
		function renew(): void {
			cancelTimer?.();
			cancelTimer = current === lease && underWay === 0 ? setTimer(end, ttlMs) : null;
		}

		const lease: BusLease = {
			owner,
			get isHeld() {
				return current === lease;
			},
			async request(exchange, { priority = 'scan', ...options } = {}) {
				if (current !== lease) throw new Fault('state-conflict', `the lease of ${owner} on ${name} has ended`);
				underWay += 1;
				renew();
				try {
					return await ask(exchange, priority, lease, options);
				} finally {
					underWay -= 1;
					renew();
				}
			},
			renew,
			end,
		};
		current = lease;
		renew();
		return lease;
	}

	return {
		take(owner, ttlMs) {
			if (!(ttlMs >= LEAST_TTL_MS && ttlMs <= MOST_TTL_MS)) {
				throw new Fault('malformed', `a lease lasts ${LEAST_TTL_MS} to ${MOST_TTL_MS} ms without use, found ${ttlMs}`);
			}
			if (current !== null)
				throw new Fault('state-conflict', `${name} is held by ${current.owner}; wait until it is done`);
			const lease = create(owner, ttlMs);
			changed(null);
			return lease;
		},
		get current() {
			return current;
		},
	};
}
