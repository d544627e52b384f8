import test from 'ava';

import { createBoots } from '../../cloud/ingest/boots.ts';
import { createResendService } from '../../cloud/link/resend-service.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { newDeviceId, newGatewayId } from '../../core/kernel/id.ts';
import { type Logger, silentLog } from '../../core/kernel/log.ts';
import { createLedger } from '../../core/ledger/ledger.ts';
import { parseResend, type Resend, resendMessage } from '../../core/link/lane-messages.ts';
import { lastSeq, type Reading } from '../../core/telemetry/reading.ts';
import { createRecovery } from '../../gateway/uplink/recovery.ts';
import { createFindReadings } from '../../core/ledger/find-readings.ts';
import type { HistoryQuery, HistoryRepository } from '../../core/telemetry/history-repository.ts';
import { firstOf, matches } from '../../core/history/reading-order.ts';

const origin = newGatewayId();
const device = newDeviceId();
const START = Date.UTC(2026, 2, 1);

const reading = (firstSeq: number, samples = 10, epoch = 3): Reading => ({
	device,
	readAt: epochMs(START + firstSeq * 100),
	telemetryType: 'default',
	points: Array.from({ length: samples }, (_, index) => `p${index}`),
	values: Array.from({ length: samples }, (_, index) => firstSeq + index),
	qualities: null,
	origin,
	epoch,
	firstSeq,
});

function memoryHistory(readings: readonly Reading[]) {
	const asked: HistoryQuery[] = [];
	const history: Pick<HistoryRepository, 'range'> = {
		async range(query) {
			asked.push(query);
			return firstOf(
				readings.filter((one) => matches(query, one)),
				query,
			);
		},
	};
	return { history, asked };
}

function gatewayBench({
	sealed = [] as readonly Reading[],
	held = [] as readonly { epoch: number; first: number; last: number }[],
} = {}) {
	const losses: object[] = [];
	const again: unknown[] = [];
	const recovery = createRecovery({
		store: {
			gatewayId: () => origin,
			addLoss: ({ epoch, first, last, reason }) => void losses.push({ epoch, first, last, reason }),
			undeclaredLosses: () => [],
		},
		journal: { epoch: 4 },
		held: () => held.map((range) => ({ ...range, origin })),
		owed: (_epoch, first, last) => [{ first, last }],
		sendAgain: (...asked) => void again.push(asked),
		async *findSealed(wanted) {
			const overlaps = (one: Reading): boolean =>
				one.epoch === wanted.epoch && one.firstSeq <= wanted.last && lastSeq(one) >= wanted.first;
			yield sealed.filter(overlaps);
		},
		known: () => [],
		declared: () => undefined,
		log: silentLog,
	});
	async function drained(): Promise<readonly Reading[]> {
		const found: Reading[] = [];
		const { signal } = new AbortController();
		for (let round = 0; round < 10; round += 1) found.push(...(await recovery.sealed.next(5, signal)));
		return found;
	}
	return { recovery, losses, again, drained };
}

test('what the hub asks for is sent from the journal, then from the sealed history, and the rest is declared lost', async (t) => {
	const { recovery, losses, again, drained } = gatewayBench({
		sealed: [reading(101), reading(111)],
		held: [{ epoch: 3, first: 201, last: 300 }],
	});
	const ranges = [{ epoch: 3, ranges: [{ first: 101, last: 210 }] }];
	recovery.hear(resendMessage({ ranges, reason: 'asked-for' }));
	t.deepEqual(again, [[ranges, 'asked-for']]);
	const found = await drained();
	t.deepEqual(
		found.map(({ firstSeq }) => firstSeq),
		[101, 111],
	);
	t.deepEqual(losses, [{ epoch: 3, first: 121, last: 200, reason: 'not-kept' }]);
});

test('what the running boot has not written down yet is not declared lost', async (t) => {
	const { recovery, losses, drained } = gatewayBench({ held: [{ epoch: 4, first: 1, last: 50 }] });
	recovery.hear(resendMessage({ ranges: [{ epoch: 4, ranges: [{ first: 41, last: 90 }] }], reason: 'lost-at-hub' }));
	await drained();
	t.deepEqual(losses, []);
});

test('a block that arrived damaged is only sent again', async (t) => {
	const { recovery, losses, again, drained } = gatewayBench();
	recovery.hear(
		resendMessage({ ranges: [{ epoch: 3, ranges: [{ first: 1, last: 9 }] }], reason: 'damaged-in-transit' }),
	);
	t.is(again.length, 1);
	await drained();
	t.deepEqual(losses, []);
});

test('what the hub lacks of earlier boots, and nobody has, was never journalled', async (t) => {
	const { recovery, losses, drained } = gatewayBench({ held: [{ epoch: 3, first: 1, last: 50 }] });
	recovery.sessionBegins([{ epoch: 3, ranges: [{ first: 41, last: 60 }] }]);
	await drained();
	t.deepEqual(losses, [{ epoch: 3, first: 51, last: 60, reason: 'not-journalled' }]);
});

test('the sealed history is searched at the time at which the numbers were read', async (t) => {
	const ledger = createLedger();
	const readings = Array.from({ length: 50 }, (_, index) => reading(1 + index * 10));
	for (const { epoch, firstSeq, readAt } of readings) ledger.mark(origin, epoch, { seq: firstSeq, at: readAt });
	const { history, asked } = memoryHistory(readings);
	const find = createFindReadings({ devices: () => [device], history, ledger });
	const found: number[] = [];
	for await (const page of find({ origin, epoch: 3, first: 95, last: 121 }, new AbortController().signal))
		found.push(...page.map(({ firstSeq }) => firstSeq));
	t.deepEqual(found, [91, 101, 111, 121]);
	t.true(asked[0] !== undefined && asked[0].to - asked[0].from < 600_000);
});

function hubBench(isOnline = true) {
	const ledger = createLedger();
	const sent: Resend[] = [];
	const events: string[] = [];
	const note = (event: string): void => void events.push(event);
	const log: Logger = { ...silentLog, error: note, warn: note, child: () => log };
	const service = createResendService({
		ledger,
		send(_gateway, _kind, payload) {
			if (isOnline) sent.push(parseResend(payload));
			return isOnline;
		},
		saveLedger: async () => undefined,
		async *find({ last }) {
			if (last === 24) yield [reading(21, 4, 1)];
		},
		log,
	});
	return { ledger, sent, service, events, log };
}

const range = (first: number, last: number, epoch = 1) => ({ origin, epoch, first, last });

test('a person can have everything asked for again that is missing, also what was declared lost', (t) => {
	const { ledger, sent, service } = hubBench();
	ledger.commit(range(1, 10));
	ledger.commit(range(21, 30));
	ledger.declare({ ...range(11, 12), reason: 'disk-full' });
	t.is(service.request(origin, null, { evenIfStored: false }), 10);
	t.deepEqual(sent, [
		{
			reason: 'asked-for',
			ranges: [
				{
					epoch: 1,
					ranges: [
						{ first: 11, last: 12 },
						{ first: 13, last: 20 },
					],
				},
			],
		},
	]);
	t.is(service.request(origin, [{ epoch: 1, first: 5, last: 12 }], { evenIfStored: false }), 2);
	t.is(service.request(origin, [{ epoch: 1, first: 5, last: 12 }], { evenIfStored: true }), 8);
	t.is(ledger.completeness(origin).receivedSamples, 20, 'what is stored counts, also when the gateway has it no more');
	ledger.declare({ ...range(5, 12), reason: 'not-kept' });
	t.is(ledger.completeness(origin).declaredLostSamples, 2);
	t.deepEqual(ledger.admit(range(5, 12)), [{ first: 5, last: 12 }], 'and is stored when it comes');
});

test('a gateway that is away cannot be asked, and is asked when it comes', (t) => {
	const { ledger, service } = hubBench(false);
	ledger.commit(range(5, 6));
	t.throws(() => service.request(origin, null, { evenIfStored: false }), {
		instanceOf: Fault,
		message: /not connected/,
	});
	t.is(service.request(newGatewayId(), null, { evenIfStored: false }), 0);
});

test('what the hub itself has lost is owed again and asked for, what only its journal has lost is not', async (t) => {
	const { ledger, sent, service, events } = hubBench();
	ledger.commit(range(1, 100));
	await service.lostHere([range(11, 24), range(200, 210)]);
	t.is(ledger.completeness(origin).missingSamples, 10);
	t.deepEqual(sent, [{ reason: 'lost-at-hub', ranges: [{ epoch: 1, ranges: [{ first: 11, last: 20 }] }] }]);
	t.deepEqual(events, ['samples-lost-at-hub']);
});

test('a gateway that says a lower boot than before, or one that nobody can reach, has what it reads in it refused', (t) => {
	const { ledger, events, log } = hubBench();
	let isOnline = true;
	const boots = createBoots({ ledger, isOnline: () => isOnline, log });
	t.true(boots.isPossible(origin, 5), 'before it has said anything');
	boots.hello(origin, 7);
	for (const epoch of [1, 6, 7]) t.true(boots.isPossible(origin, epoch), String(epoch));
	for (const epoch of [0, 8, 2 ** 41]) t.false(boots.isPossible(origin, epoch), String(epoch));
	isOnline = false;
	t.true(boots.isPossible(origin, 8), 'it may have started again, and what it has read is carried here');
	isOnline = true;
	boots.hello(origin, 7);
	t.true(boots.isPossible(origin, 7), 'a new connection of the same boot');
	boots.hello(origin, 5);
	t.false(boots.isPossible(origin, 5));
	t.true(boots.isPossible(origin, 4), 'what earlier boots have left in its journal');
	boots.hello(origin, 2 ** 50);
	t.false(boots.isPossible(origin, 2 ** 50));
	t.deepEqual(events, ['gateway-epoch-behind', 'gateway-epoch-impossible']);
	const other = newGatewayId();
	boots.hello(other, 3);
	t.true(boots.isPossible(other, 3), 'others are unharmed');
});
