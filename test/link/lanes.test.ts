import test from 'ava';

import type { JournalCommit, JournalPosition } from '../../core/journal/journal.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { newDeviceId, newGatewayId } from '../../core/kernel/id.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { createBackfillLane } from '../../gateway/uplink/backfill-lane.ts';
import type { Link } from '../../gateway/uplink/link-connection.ts';
import { createLiveLane } from '../../gateway/uplink/live-lane.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const origin = newGatewayId();
const device = newDeviceId();

const reading = (firstSeq: number, samples = 10): Reading => ({
	device,
	readAt: epochMs(1_000 + firstSeq),
	telemetryType: 'default',
	points: Array.from({ length: samples }, (_, index) => `p${index}`),
	values: Array.from({ length: samples }, (_, index) => firstSeq + index),
	qualities: null,
	origin,
	epoch: 3,
	firstSeq,
});

const at = (offset: number): JournalPosition => ({ segment: 1, offset });

/** A journal in memory: each commit one offset further. */
function memoryJournal(commits: readonly (readonly Reading[])[]) {
	const list = [...commits];
	const holds: JournalPosition[] = [];
	return {
		holds,
		add: (readings: readonly Reading[]) => void list.push(readings),
		oldest: () => at(0),
		end: () => at(list.length),
		async *read(from: JournalPosition): AsyncGenerator<JournalCommit> {
			for (let offset = from.offset; offset < list.length; offset += 1) {
				yield { at: at(offset), next: at(offset + 1), readings: list[offset] ?? [] };
			}
		},
		hold: (_holder: string, position: JournalPosition) => void holds.push(position),
	};
}

/** A link that remembers; readings stand for their encoding. */
function memoryLink() {
	const sent: { readonly kind: string; readonly numbers: readonly number[] }[] = [];
	const renewals: string[] = [];
	let heard: (() => void) | null = null;
	const link: Link = {
		async publish(kind, payload) {
			sent.push({ kind, numbers: Buffer.from(payload).toString().split(',').map(Number) });
			heard?.();
		},
		waitingBytes: () => 0,
		renew: (why) => void renewals.push(why),
		state: () => ({ state: 'online', since: epochMs(0), lastError: null }),
	};
	const next = (): Promise<void> => new Promise((resolve) => (heard = resolve));
	return { link, sent, renewals, next };
}

const encode = (readings: readonly Reading[]): Uint8Array =>
	Buffer.from(readings.map(({ firstSeq }) => firstSeq).join(','));

const lane = (journal: ReturnType<typeof memoryJournal>, isOnTheWay = (): boolean => false) =>
	createBackfillLane({
		journal,
		encode,
		isOnTheWay,
		clock: createManualClock(),
		bytesPerSecond: 1_000_000,
		random: () => 0,
	});

const acked = (first: number, last: number) => [{ epoch: 3, ranges: [{ first, last }] }];

test('history is sent from what the hub lacks, oldest first, and the checkpoint moves on its word only', async (t) => {
	const journal = memoryJournal([[reading(1)], [reading(11)], [reading(21)]]);
	const { link, sent, next } = memoryLink();
	const backfill = lane(journal);
	const end = new AbortController();
	backfill.reset(acked(1, 10));
	const first = next();
	const running = backfill.run(link, end.signal);
	await first;
	t.deepEqual(sent, [{ kind: 'backfill', numbers: [11, 21] }]);
	t.deepEqual(journal.holds.at(-1), { segment: 1, offset: 1 });

	backfill.acknowledge(acked(11, 20));
	t.deepEqual(journal.holds.at(-1), { segment: 1, offset: 2 });
	t.is(backfill.owed(3, 1, 30).length, 1);
	backfill.acknowledge(acked(21, 30));
	t.deepEqual(journal.holds.at(-1), { segment: 1, offset: 3 });
	t.deepEqual(backfill.owed(3, 1, 30), []);
	end.abort();
	await running;
});

test('a new session sends again what was never acknowledged', async (t) => {
	const journal = memoryJournal([[reading(1)], [reading(11)]]);
	const backfill = lane(journal);
	for (let session = 0; session < 2; session += 1) {
		const { link, sent, next } = memoryLink();
		const end = new AbortController();
		backfill.reset([]);
		const first = next();
		const running = backfill.run(link, end.signal);
		await first;
		t.deepEqual(sent, [{ kind: 'backfill', numbers: [1, 11] }]);
		end.abort();
		await running;
	}
	t.is(journal.holds.length, 0);
});

test('what the live lane has just sent is left to its acknowledgement', async (t) => {
	const journal = memoryJournal([[reading(1)], [reading(11)]]);
	const { link, sent, next } = memoryLink();
	const backfill = lane(journal, (_epoch?: number, first?: number) => first === 11);
	const end = new AbortController();
	backfill.reset([]);
	const heard = next();
	const running = backfill.run(link, end.signal);
	await heard;
	t.deepEqual(sent, [{ kind: 'backfill', numbers: [1] }]);
	end.abort();
	await running;
});

test('a hub that has lost its ledger is sent everything the journal still holds', async (t) => {
	const journal = memoryJournal([[reading(1)], [reading(11)]]);
	const { link, sent, next } = memoryLink();
	const backfill = lane(journal);
	backfill.reset(acked(1, 20));
	const end = new AbortController();
	backfill.reset([]);
	const heard = next();
	const running = backfill.run(link, end.signal);
	await heard;
	t.deepEqual(sent, [{ kind: 'backfill', numbers: [1, 11] }]);
	end.abort();
	await running;
});

test('live values leave together when the block is full, and only while the hub listens', (t) => {
	const { link, sent } = memoryLink();
	const live = createLiveLane({ link: () => link, encode, clock: createManualClock() });
	live.offer(reading(1, 5_000));
	t.deepEqual(sent, []);
	live.open();
	live.offer(reading(5_001, 2_500));
	live.offer(reading(7_501, 2_500));
	t.deepEqual(sent, [{ kind: 'live', numbers: [5_001, 7_501] }]);
	t.true(live.isOnTheWay(3, 5_001, 10_000));
	t.false(live.isOnTheWay(3, 1, 5_000));
	live.close();
	t.false(live.isOnTheWay(3, 5_001, 10_000));
});

test('what was sent live and not acknowledged in time is no longer on the way', (t) => {
	const { link } = memoryLink();
	const clock = createManualClock();
	const live = createLiveLane({ link: () => link, encode, clock });
	live.open();
	live.offer(reading(1, 5_000));
	clock.advance(4_999);
	t.true(live.isOnTheWay(3, 1, 5_000));
	clock.advance(2);
	t.false(live.isOnTheWay(3, 1, 5_000));
	live.close();
});
