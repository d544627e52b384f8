import test from 'ava';
import fc from 'fast-check';

import { createDeviceDownlink } from '../../cloud/sync/device-downlink.ts';
import { createDeviceExchange } from '../../core/device/device-exchange.ts';
import { edited } from '../../core/device/device-edits.ts';
import type { Device, DeviceHealth } from '../../core/device/device.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { DEFAULT_TENANT, deviceId, type DeviceId, tenantId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { parseDocuments } from '../../core/link/link-messages.ts';
import type { UplinkSend } from '../../core/link/link-feature.ts';
import { documentDigest, partDigests } from '../../core/sync/device-digest.ts';
import { createDeviceUplink } from '../../gateway/sync/device-uplink.ts';
import { deviceOf, GATEWAY, HUB } from '../fake/device-box.ts';

const TENANT = tenantId('7e000000-0000-4000-8000-000000000001');
const OK: DeviceHealth = { state: 'ok', since: epochMs(5), reason: null };
const AWAY: DeviceHealth = { state: 'unknown', since: epochMs(9), reason: 'not connected' };

/** In all parts, not only in one. */
const numbered = (number: number, changes: Partial<Device> = {}): Device =>
	deviceOf(number, `meter-${number}`, {
		id: deviceId(`${(number % 16).toString(16)}d000000-0000-4000-8000-${String(number).padStart(12, '0')}`),
		...changes,
	});

const partsOf = (list: readonly number[]) =>
	partDigests(list.map((number) => ({ id: numbered(number).id, document: String(number), health: '' })));

type Box = Map<DeviceId, Device>;

const boxOf = (devices: readonly Device[]): Box => new Map(devices.map((device) => [device.id, device]));

const exchangeOver = (box: Box, more: { readonly edited: (device: Device) => void }) =>
	createDeviceExchange({
		devices: {
			find: (id) => box.get(id) ?? null,
			put: async (device) => void box.set(device.id, device),
		},
		adopted: { add: () => undefined },
		current: (device) => device,
		forgetStatus: () => undefined,
		tellChanged: () => undefined,
		tellStatus: () => undefined,
		tellEdited: more.edited,
	});

/** A gateway and a hub with nothing between them, that meet when told. */
function createWorld(count: number) {
	const gateway = boxOf(Array.from({ length: count }, (_, index) => numbered(index)));
	const hub: Box = new Map();
	const healths = new Map<DeviceId, DeviceHealth>([...gateway.keys()].map((id) => [id, OK]));
	const shown = new Map<DeviceId, DeviceHealth>();
	const sent = { messages: 0, documents: 0, health: 0 };
	const here = exchangeOver(gateway, { edited: () => undefined });
	let editing: Promise<unknown> = Promise.resolve();
	const there = exchangeOver(hub, {
		edited({ id: device, name, deviceType, groupId, metadata, edits = {}, revision }) {
			const fields = { name, deviceType, groupId, metadata };
			editing = editing.then(() => here.takeEdit({ device, revision, fields, edits })).catch(() => undefined);
		},
	});
	const newDownlink = () =>
		createDeviceDownlink({
			devices: { all: () => hub.values(), find: (id) => hub.get(id) ?? null },
			setHealth: (id, health) => void shown.set(id, health),
			send: (_gateway, _kind, payload) => {
				uplink.hears.devices?.(payload);
				return true;
			},
			clock: { now: () => epochMs(20) },
		});
	let downlink = newDownlink();
	const uplink = createDeviceUplink({
		devices: () => [...gateway.values()],
		healthOf: (id) => healths.get(id) ?? null,
		log: silentLog,
	});

	/** @param isCut asked before each message */
	const sendOver =
		(isCut: () => boolean): UplinkSend =>
		async (kind, payload) => {
			if (isCut()) throw new Error('the line is cut');
			sent.messages += 1;
			if (kind === 'devices') await downlink.hears.devices?.(GATEWAY, payload);
			if (kind !== 'documents') return;
			const { devices, health, mistakes } = parseDocuments(payload);
			if (mistakes.length > 0) throw new Error(mistakes.join());
			sent.documents += devices.length;
			sent.health += health.length;
			for (const device of devices) {
				await there.adopt({ ...device, tenantId: TENANT });
				const stored = hub.get(device.id);
				if (stored !== undefined) downlink.device.changed?.(stored);
			}
			for (const { device, ...one } of health) downlink.healthSaid(device, one);
		};

	return {
		gateway,
		hub,
		healths,
		shown,
		sent,
		uplink,
		async meet(isCut: () => boolean = () => false): Promise<void> {
			const controller = new AbortController();
			await uplink.begin(sendOver(isCut), controller.signal).catch(() => undefined);
			controller.abort();
			await editing;
		},
		restartHub(): void {
			downlink = newDownlink();
		},
		assertEqual(): boolean {
			const own = [...gateway.values()];
			return own.every((device) => {
				const other = hub.get(device.id);
				return other !== undefined && documentDigest(other) === documentDigest(device);
			});
		},
	};
}

test('equal devices cost one question with each session, and no document on a thousand reconnects', async (t) => {
	const world = createWorld(40);
	await world.meet();
	t.is(world.sent.documents, 40);
	t.is(world.sent.health, 40);
	t.true(world.assertEqual());
	t.is(world.hub.get(numbered(1).id)?.tenantId, TENANT);
	Object.assign(world.sent, { messages: 0, documents: 0, health: 0 });
	for (let session = 0; session < 1_000; session += 1) await world.meet();
	t.deepEqual(world.sent, { messages: 1_000, documents: 0, health: 0 });
});

test('only what has changed is sent: one document, one health, and what a person at the hub has changed comes back', async (t) => {
	const world = createWorld(60);
	await world.meet();
	Object.assign(world.sent, { documents: 0, health: 0 });
	const [one, two, three] = [numbered(1), numbered(2), numbered(3)];
	world.gateway.set(one.id, { ...one, name: 'other', revision: 2 });
	world.gateway.set(three.id, { ...three, lastSeenAt: epochMs(99) });
	world.healths.set(two.id, { ...OK, state: 'degraded', reason: 'slow' });
	await world.meet();
	t.like(world.sent, { documents: 1, health: 2 });
	t.is(world.hub.get(one.id)?.name, 'other');
	t.is(world.shown.get(two.id)?.state, 'degraded');
	const known = world.hub.get(two.id) ?? two;
	world.hub.set(two.id, { ...edited(known, { name: 'at the hub' }, HUB, true), revision: 2 });
	await world.meet();
	await world.meet();
	t.is(world.gateway.get(two.id)?.name, 'at the hub');
	t.true(world.assertEqual());
});

test('the health of a gateway that was away is shown again without being sent, and is sent to a hub that has forgotten it', async (t) => {
	const world = createWorld(20);
	await world.meet();
	world.sent.health = 0;
	for (const id of world.hub.keys()) world.shown.set(id, AWAY);
	await world.meet();
	t.true([...world.shown.values()].every(({ state }) => state === 'ok'));
	t.is(world.sent.health, 0);
	world.restartHub();
	world.sent.documents = 0;
	await world.meet();
	t.like(world.sent, { documents: 0, health: 20 });
});

test('a device that a restored gateway does not know any more stays at the hub, says so, and costs nothing further', async (t) => {
	const world = createWorld(20);
	await world.meet();
	const lost = numbered(7);
	world.gateway.delete(lost.id);
	await world.meet();
	t.true(world.hub.has(lost.id));
	t.regex(world.shown.get(lost.id)?.reason ?? '', /does not have this device/);
	world.sent.messages = 0;
	await world.meet();
	t.is(world.sent.messages, 1);
	world.gateway.set(lost.id, lost);
	await world.meet();
	t.is(world.shown.get(lost.id)?.state, 'ok');
	world.sent.messages = 0;
	await world.meet();
	t.is(world.sent.messages, 1);
});

test('a digest sees every field but what each box has of its own, in whatever order fields and devices come', (t) => {
	const device = numbered(1);
	const same = { ...device, tenantId: TENANT, lastSeenAt: epochMs(7) };
	t.is(documentDigest(device), documentDigest(same));
	t.not(documentDigest(device), documentDigest({ ...device, revision: 9 }));
	t.not(documentDigest(device), documentDigest({ ...device, metadata: { a: 1 } }));
	const entries = fc.uniqueArray(fc.nat(500), { maxLength: 60 });
	const property = fc.property(entries, fc.nat(500), (numbers, extra) => {
		const isOrderless = partsOf(numbers).join() === partsOf(numbers.toReversed()).join();
		return isOrderless && (numbers.includes(extra) || partsOf([...numbers, extra]).join() !== partsOf(numbers).join());
	});
	t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

type Step =
	| { readonly kind: 'gateway' | 'hub'; readonly device: number; readonly value: number }
	| { readonly kind: 'meet'; readonly cutAfter: number }
	| { readonly kind: 'restore'; readonly which: 'gateway' | 'hub' }
	| { readonly kind: 'copy' }
	| { readonly kind: 'restart' };

const device = fc.nat(5);
const story = fc.array(
	fc.oneof(
		fc.record({ kind: fc.constantFrom('gateway' as const, 'hub' as const), device, value: fc.nat(9) }),
		fc.record({ kind: fc.constant('meet' as const), cutAfter: fc.nat(8) }),
		fc.record({ kind: fc.constant('restore' as const), which: fc.constantFrom('gateway' as const, 'hub' as const) }),
		fc.record({ kind: fc.constant('copy' as const) }),
		fc.record({ kind: fc.constant('restart' as const) }),
	),
	{ maxLength: 25 },
);

async function play(steps: readonly Step[]): Promise<boolean> {
	const world = createWorld(6);
	let copy = { gateway: new Map(world.gateway), hub: new Map(world.hub) };
	for (const step of steps) {
		if (step.kind === 'copy') copy = { gateway: new Map(world.gateway), hub: new Map(world.hub) };
		else if (step.kind === 'restart') world.restartHub();
		else if (step.kind === 'meet') {
			let left = step.cutAfter;
			await world.meet(() => (left -= 1) < 0);
		} else if (step.kind === 'restore') {
			const box = world[step.which];
			box.clear();
			for (const [id, known] of copy[step.which]) box.set(id, known);
			if (step.which === 'hub') world.restartHub();
		} else {
			const { id } = numbered(step.device);
			const box = world[step.kind];
			const before = box.get(id);
			if (before === undefined) continue;
			const after = edited(before, { name: `${step.value}` }, step.kind === 'hub' ? HUB : GATEWAY, step.kind === 'hub');
			box.set(id, { ...after, revision: before.revision + 1 });
		}
	}
	for (let round = 0; round < 3; round += 1) await world.meet();
	const isEqual = world.assertEqual();
	world.sent.documents = 0;
	await world.meet();
	return isEqual && world.sent.documents === 0;
}

test('whatever is changed, cut, restarted and restored from older copies, gateway and hub end equal, and then nothing is sent', async (t) => {
	await t.notThrowsAsync(() => fc.assert(fc.asyncProperty(story, play), { numRuns: 150 }));
	t.is(numbered(1).tenantId, DEFAULT_TENANT);
});
