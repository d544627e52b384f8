import test from 'ava';

import { openGatewayClocks } from '../../cloud/time/gateway-clocks.ts';
import type { GatewayClockStore } from '../../cloud/time/gateway-clock-store.ts';
import { type EpochMs, epochMs } from '../../core/kernel/clock.ts';
import { type GatewayId, newGatewayId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { UplinkSend } from '../../core/link/link-feature.ts';
import { parseTimeQuestion, timeMessage, type ToldEra } from '../../core/link/time-messages.ts';
import type { Era } from '../../core/time/era.ts';
import { createTimeUplink } from '../../gateway/time/time-uplink.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const NOON = Date.UTC(2026, 10, 22, 12);
const gateway = newGatewayId();

const era = (firstSeq: number, quality: Era['quality'] = 'rtc'): Era => ({
	epoch: 3,
	firstSeq,
	sharedThroughSeq: 0,
	sharedUntilMs: 0,
	bootId: 'boot-1',
	quality,
	isEstimated: false,
	offsetMs: NOON,
	deltaMs: 0,
	fromMs: 0,
	untilMs: null,
});

/** A keeper that writes down what it is asked and told. */
function fakeKeeper(eras: readonly Era[]) {
	const heard: { readonly at: number; readonly errorMs: number; readonly monotonicMs: number }[] = [];
	let untold = [...eras];
	const listeners: (() => void)[] = [];
	return {
		heard,
		add(one: Era) {
			untold.push(one);
			for (const changed of listeners) changed();
		},
		hubSays: (word: (typeof heard)[number]) => void heard.push(word),
		untold: () => untold,
		told: (list: readonly Era[]) => void (untold = untold.filter((one) => !list.includes(one))),
		forgetTold: () => void (untold = [...eras]),
		listen: (changed: () => void) => void listeners.push(changed),
		status: () => ({ now: epochMs(NOON), quality: 'rtc' as const, eras: [] }),
	};
}

function memoryStore(saved: ReadonlyMap<GatewayId, readonly ToldEra[]> = new Map()) {
	const written = new Map(saved);
	let writes = 0;
	const store: GatewayClockStore = {
		read: async () => written,
		async write(id, eras) {
			writes += 1;
			written.set(id, eras);
		},
	};
	return { store, written, writes: () => writes };
}

async function clocksWith(store: GatewayClockStore, trustedNow: () => EpochMs | null = () => epochMs(NOON)) {
	const sent: unknown[] = [];
	const clocks = await openGatewayClocks({
		store,
		send(_gateway, _kind, payload) {
			sent.push(JSON.parse(Buffer.from(payload).toString('utf8')));
			return true;
		},
		trustedNow,
		now: () => epochMs(NOON),
		log: silentLog,
	});
	const hear = (message: Parameters<typeof timeMessage>[0]): Promise<void> | undefined =>
		clocks.feature.hears.time?.(gateway, timeMessage(message));
	return { clocks, sent, hear };
}

test('of several answers the one with the shortest way counts, half of the way is its error', async (t) => {
	const clock = createManualClock();
	const keeper = fakeKeeper([era(1)]);
	const uplink = createTimeUplink({ keeper, clock, log: silentLog });
	const ways = [400, 60, 90];
	const said: number[] = [];
	const send: UplinkSend = async (_kind, payload) => {
		const { ask, eras } = parseTimeQuestion(payload);
		said.push(eras.length);
		const wayMs = ways.shift() ?? 0;
		clock.advance(wayMs / 2);
		const at = NOON + clock.monotonicMs();
		clock.advance(wayMs / 2);
		uplink.hears.time?.(timeMessage({ ask: ask ?? 0, at }));
	};
	const end = new AbortController();
	await uplink.begin(send, end.signal);
	t.deepEqual(keeper.heard, [{ at: NOON + 460, errorMs: 30, monotonicMs: 460 }]);
	t.deepEqual(said, [1, 0, 0], 'eras are told once');
	end.abort();
});

test('an answer to another question, or of a hub that does not know the time, is none', async (t) => {
	const keeper = fakeKeeper([]);
	const uplink = createTimeUplink({ keeper, clock: createManualClock(), log: silentLog });
	const end = new AbortController();
	await uplink.begin(async (_kind, payload) => {
		const { ask } = parseTimeQuestion(payload);
		uplink.hears.time?.(timeMessage({ ask: (ask ?? 0) + 7, at: 1 }));
		uplink.hears.time?.(timeMessage({ ask: ask ?? 0, at: null }));
	}, end.signal);
	t.deepEqual(keeper.heard, []);
	t.throws(() => uplink.hears.time?.(Buffer.from('{"ask":-1,"at":0}')), { message: /ask/ });
	end.abort();
});

test('what changes while a session lasts is told in it', async (t) => {
	const keeper = fakeKeeper([]);
	const uplink = createTimeUplink({ keeper, clock: createManualClock(), log: silentLog });
	const end = new AbortController();
	const told = new Promise<readonly ToldEra[]>((resolve) => {
		const send: UplinkSend = async (_kind, payload) => {
			const { ask, eras } = parseTimeQuestion(payload);
			if (eras.length > 0) resolve(eras);
			if (ask !== null) uplink.hears.time?.(timeMessage({ ask, at: NOON }));
		};
		void uplink.begin(send, end.signal).then(() => keeper.add(era(9, 'hub')));
	});
	const [first] = await told;
	t.like(first, { firstSeq: 9, quality: 'hub' });
	end.abort();
});

test('the hub knows how good the time of each sample is, also after a restart', async (t) => {
	const memory = memoryStore();
	const { clocks, sent, hear } = await clocksWith(memory.store);
	const told: ToldEra[] = [
		{ epoch: 3, firstSeq: 1, quality: 'hub', isEstimated: false, deltaMs: 5 },
		{ epoch: 3, firstSeq: 40, quality: 'ntp', isEstimated: false, deltaMs: 0 },
	];
	await hear({ ask: 1, at: NOON + 2_000, quality: 'ntp', eras: told });
	t.deepEqual(sent, [{ ask: 1, at: NOON }]);
	t.like(clocks.clockOf(gateway), { quality: 'ntp', offsetMs: 2_000 });
	await hear({ ask: 2, at: NOON, quality: 'ntp', eras: told });
	t.is(memory.writes(), 1, 'what is known is not written again');
	const again = (await clocksWith(memory.store)).clocks;
	t.is(again.qualityOf(gateway, 3, 39), 'hub');
	t.is(again.qualityOf(gateway, 3, 40), 'ntp');
	t.is(again.qualityOf(gateway, 2, 1), null);
	t.is(again.qualityOf(newGatewayId(), 3, 1), null);
});

test('an era whose time has come takes the place of what was said of it', async (t) => {
	const memory = memoryStore();
	const { clocks, hear } = await clocksWith(memory.store);
	const waiting: ToldEra = { epoch: 3, firstSeq: 1, quality: 'unset', isEstimated: false, deltaMs: null };
	await hear({ ask: null, at: NOON, quality: 'unset', eras: [waiting] });
	t.is(clocks.qualityOf(gateway, 3, 1), 'unset');
	await hear({ ask: null, at: NOON, quality: 'hub', eras: [{ ...waiting, quality: 'hub', deltaMs: 77 }] });
	t.deepEqual(clocks.erasOf(gateway), [{ ...waiting, quality: 'hub', deltaMs: 77 }]);
});

test('a hub that does not know the time says so, and judges nobody', async (t) => {
	const { clocks, sent, hear } = await clocksWith(memoryStore().store, () => null);
	await hear({ ask: 5, at: 0, quality: 'unset', eras: [] });
	t.deepEqual(sent, [{ ask: 5, at: null }]);
	t.is(clocks.clockOf(gateway)?.offsetMs, null);
});

test('a message that breaks a rule is refused with its field', async (t) => {
	const { clocks } = await clocksWith(memoryStore().store);
	const wrong = Buffer.from(JSON.stringify({ ask: 1, at: NOON, quality: 'sundial', eras: [] }));
	await t.throwsAsync(async () => clocks.feature.hears.time?.(gateway, wrong), { message: /quality/ });
});
