import test from 'ava';
import fc from 'fast-check';

import { epochMs } from '../../core/kernel/clock.ts';
import { newDeviceId, newGatewayId } from '../../core/kernel/id.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { SLEW_MS } from '../../core/time/clock-state.ts';
import { eraOf } from '../../core/time/era.ts';
import type { TimeKeeper } from '../../core/time/time-keeper.ts';
import { createTimeMachine, type TimeMachine } from '../fake/time-machine.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;
const NOON = Date.UTC(2026, 10, 22, 12);
const HUB_ERROR_MS = 40;
const origin = newGatewayId();
const device = newDeviceId();

/** What happens to a box. A clock that jumps away comes home before a quarter of an hour is over, or somebody who knows says so. */
type Event =
	| { readonly what: 'pass'; readonly ms: number }
	| { readonly what: 'read' }
	| { readonly what: 'jump'; readonly byMs: number; readonly forMs: number }
	| { readonly what: 'ntp' }
	| { readonly what: 'hub'; readonly offMs: number }
	| { readonly what: 'restart' }
	| { readonly what: 'power cut'; readonly offMs: number; readonly clock: 'right' | '1970' | '2106' | 'restored' };

const jumps = fc.oneof(
	fc.integer({ min: 20 * SECOND, max: 10 * YEAR }),
	fc.integer({ min: -57 * YEAR, max: -20 * SECOND }),
);

const events: fc.Arbitrary<Event> = fc.oneof(
	{
		weight: 3,
		arbitrary: fc.record({ what: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 3 * MINUTE }) }),
	},
	{ weight: 6, arbitrary: fc.record({ what: fc.constant('read' as const) }) },
	{
		weight: 2,
		arbitrary: fc.record({
			what: fc.constant('jump' as const),
			byMs: jumps,
			forMs: fc.integer({ min: 1, max: 2 * MINUTE }),
		}),
	},
	{ weight: 1, arbitrary: fc.record({ what: fc.constant('ntp' as const) }) },
	{
		weight: 1,
		arbitrary: fc.record({
			what: fc.constant('hub' as const),
			offMs: fc.integer({ min: -HUB_ERROR_MS, max: HUB_ERROR_MS }),
		}),
	},
	{ weight: 1, arbitrary: fc.record({ what: fc.constant('restart' as const) }) },
	{
		weight: 2,
		arbitrary: fc.record({
			what: fc.constant('power cut' as const),
			offMs: fc.integer({ min: SECOND, max: 30 * HOUR }),
			clock: fc.constantFrom('right' as const, '1970' as const, '2106' as const, 'restored' as const),
		}),
	},
);

interface Kept extends Reading {
	readonly trueMs: number;
}

/** A box that lives through events, and everything it has read, with the time that was first told of it. */
class Life {
	readonly machine: TimeMachine;
	readonly readings: Kept[] = [];
	readonly told = new Map<Kept, number>();
	readonly changed: string[] = [];
	#epoch = 0;
	#lastSeq = 0;
	readonly #hasRtc: boolean;
	#keeper: TimeKeeper | null = null;

	constructor(hasRtc: boolean) {
		this.#hasRtc = hasRtc;
		this.machine = createTimeMachine({ trueMs: NOON, wallMs: NOON, hasRtc });
	}

	get keeper(): TimeKeeper {
		if (this.#keeper === null) throw new Error('the box is off');
		return this.#keeper;
	}

	async start(): Promise<void> {
		this.#epoch += 1;
		this.#lastSeq = 0;
		const keeper = await this.machine.open();
		this.#keeper = keeper;
		keeper.identify(origin);
		await keeper.begin({
			epoch: this.#epoch,
			lastSeq: () => this.#lastSeq,
			oldestEpoch: () => 1,
			hasHub: () => false,
		});
	}

	read(): void {
		this.#lastSeq += 1;
		const base = { device, origin, telemetryType: 'default', points: ['p'], values: [1], qualities: null };
		const { keeper, machine } = this;
		const readAt = keeper.clock.now();
		this.readings.push({ ...base, epoch: this.#epoch, firstSeq: this.#lastSeq, readAt, trueMs: machine.trueMs() });
	}

	/** What the hub or the history would be told now is told, and must never be told otherwise. */
	look(): void {
		for (const reading of this.readings) {
			const now = this.keeper.settle(reading);
			const before = this.told.get(reading);
			if (now === null && before === undefined) continue;
			if (before === undefined && now !== null) this.told.set(reading, now.readAt);
			else if (now?.readAt !== before)
				this.changed.push(`${reading.epoch}/${reading.firstSeq}: ${before} became ${now?.readAt ?? 'unknown'}`);
		}
	}

	async live(event: Event): Promise<void> {
		const { machine } = this;
		switch (event.what) {
			case 'pass':
				return machine.pass(event.ms);
			case 'read':
				return this.read();
			case 'jump': {
				// Whoever sets a clock that was never right is believed at once.
				if (this.keeper.status().quality === 'unset') return;
				machine.stepWall(event.byMs);
				this.read();
				await machine.pass(event.forMs);
				this.read();
				machine.stepWall(-event.byMs);
				return machine.pass(SECOND);
			}
			case 'ntp':
				machine.setWall(machine.trueMs());
				machine.setSynchronized(true);
				return machine.pass(3 * SECOND);
			case 'hub':
				this.keeper.hubSays({
					at: machine.trueMs() + event.offMs,
					errorMs: HUB_ERROR_MS,
					monotonicMs: machine.wall.monotonicMs(),
				});
				// A reading takes longer to the disk than this.
				return machine.pass(1);
			case 'restart':
				await this.keeper.stop();
				return this.start();
			case 'power cut': {
				const restored = machine.wall.now();
				const walls = { right: machine.trueMs() + event.offMs, '1970': 5_000, '2106': NOON + 80 * YEAR, restored };
				// A clock with a battery does not come back with the time of yesterday.
				const clock = event.clock === 'restored' && this.#hasRtc ? 'right' : event.clock;
				machine.reboot(event.offMs, walls[clock]);
				return this.start();
			}
		}
	}
}

test('whatever happens to the clock, times are on the true line within the stated error, or flagged; none is told twice differently', async (t) => {
	await fc.assert(
		fc.asyncProperty(fc.boolean(), fc.array(events, { minLength: 4, maxLength: 16 }), async (hasRtc, list) => {
			const life = new Life(hasRtc);
			await life.start();
			for (const event of list) {
				await life.live(event);
				life.look();
			}
			await life.live({ what: 'ntp' });
			await life.machine.pass(2 * SECOND);
			life.look();
			if (life.changed.length > 0) throw new Error(life.changed.join('; '));
			const { eras } = life.keeper.status();
			for (const reading of life.readings) {
				const at = life.keeper.settle(reading)?.readAt;
				const name = `${reading.epoch}/${reading.firstSeq}`;
				if (at === undefined) throw new Error(`${name} still waits`);
				const era = eraOf(eras, reading, () => 0);
				const isRight =
					era?.isEstimated === true
						? era.quality === 'unset' && at <= life.machine.trueMs()
						: Math.abs(at - reading.trueMs) <= SLEW_MS + HUB_ERROR_MS;
				if (!isRight) throw new Error(`${name} is ${at - reading.trueMs} ms off under ${era?.quality ?? 'no era'}`);
			}
			await life.keeper.stop();
		}),
		{ numRuns: 60 },
	);
	t.pass();
});

test('times never run backwards within a boot while the clock is only slewed', async (t) => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.integer({ min: -500, max: 500 }), { maxLength: 20 }), async (slews) => {
			const machine = createTimeMachine({ trueMs: NOON, wallMs: NOON });
			const keeper = await machine.open();
			let before = keeper.clock.now();
			for (const slewMs of slews) {
				machine.stepWall(slewMs);
				await machine.pass(2 * SECOND);
				const now = keeper.clock.now();
				t.true(now > before);
				t.true(Math.abs(now - machine.wall.now()) <= SLEW_MS);
				before = now;
			}
			await keeper.stop();
		}),
		{ numRuns: 30 },
	);
});

test('an instant is an instant: settled times are whole milliseconds', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: 5_000 });
	const keeper = await machine.open();
	keeper.identify(origin);
	await keeper.begin({ epoch: 1, lastSeq: () => 0, oldestEpoch: () => 1, hasHub: () => false });
	const readAt = keeper.clock.now();
	keeper.hubSays({ at: NOON + 0.4, errorMs: 12.3, monotonicMs: machine.wall.monotonicMs() + 0.123 });
	await machine.pass(2 * SECOND);
	const reading = {
		device,
		origin,
		telemetryType: 'default',
		points: [],
		values: [],
		qualities: null,
		epoch: 1,
		firstSeq: 1,
	};
	t.true(Number.isSafeInteger(keeper.settle({ ...reading, readAt: epochMs(readAt) })?.readAt));
	await keeper.stop();
});
