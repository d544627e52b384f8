import test, { type ExecutionContext } from 'ava';

import { awaitedUntil, createGatewayCommands } from '../../cloud/command/gateway-commands.ts';
import type { CommandPayload } from '../../core/command/command.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { type CommandMessages, type CommandReport, linkMessage } from '../../core/link/link-messages.ts';
import { createHubCommands } from '../../gateway/command/hub-commands.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { commandBox, draftOfCommand } from '../fake/command-box.ts';
import { deviceOf, GATEWAY } from '../fake/device-box.ts';
import { waitFor } from '../system/kit/wait-for.ts';

const MANAGER = actorOfRole('manager');
const PUMP = deviceOf(1, 'pump');
const OWN = deviceOf(2, 'own', { gatewayId: null });
const HOUR_MS = 3_600_000;

const deviceOfId = (id: string) => [PUMP, OWN].find((device) => device.id === id) ?? null;

/** The queues of a hub and a gateway, and a link between them that can be cut and that can lose what it carries. */
async function pair(t: ExecutionContext, hears: (draft: { readonly name: string }) => void = () => undefined) {
	const hub = await commandBox({ awaitedUntil });
	const gateway = await commandBox({ assertFits: (_device, draft) => hears(draft) });
	const wire = { isUp: true, losesReports: false };
	const down: CommandMessages[] = [];
	const reports: CommandReport[] = [];
	const heard: [string, CommandPayload][] = [];

	let hubSide = openHub(hub.commands);
	let gatewaySide = openGateway(gateway.commands);

	function openHub(commands: typeof hub.commands) {
		const side = createGatewayCommands({
			commands,
			deviceOf: deviceOfId,
			isOnline: () => wire.isUp,
			send(_gateway, message) {
				if (!wire.isUp) return false;
				down.push(message);
				gatewaySide.received(linkMessage('command', message));
				return true;
			},
			listeners: [(device, data) => void heard.push([device.uid, data])],
			clock: hub.timer.clock,
			log: silentLog,
		});
		commands.listen(side.command);
		return side;
	}

	function openGateway(commands: typeof gateway.commands) {
		const side = createHubCommands({
			commands,
			devices: { find: (id) => (id === PUMP.id ? PUMP : null) },
			async report(report) {
				if (!wire.isUp) throw new Fault('unreachable', 'the hub is not connected');
				if (wire.losesReports) return;
				reports.push(report);
				await hubSide.feature.hears.commands(GATEWAY, linkMessage('commands', report));
			},
			clock: gateway.timer.clock,
			log: silentLog,
		});
		commands.listen(side.command);
		return side;
	}

	t.teardown(async () => {
		await hubSide.stop();
		await hub.close();
		await gateway.close();
	});

	const box = {
		hub: hub.commands,
		gateway: gateway.commands,
		wire,
		down,
		reports,
		heard,
		gatewaySide: () => gatewaySide,
		connect() {
			wire.isUp = true;
			hubSide.feature.begin(GATEWAY);
			gatewaySide.linkUp();
		},
		async restartGateway() {
			box.gateway = await gateway.reopen();
			gatewaySide = openGateway(box.gateway);
		},
		async restartHub() {
			await hubSide.stop();
			box.hub = await hub.reopen();
			hubSide = openHub(box.hub);
		},
		/** Time passes on both sides; what ran out has expired when it resolves. */
		async pass(ms: number) {
			for (const { timer } of [hub, gateway]) timer.advance(ms);
			await box.gateway.advance('none', {});
			await box.hub.advance('none', {});
		},
		create: (name = 'restart', ttlMs = HOUR_MS) =>
			box.hub.create(PUMP, draftOfCommand(name, { ttlMs, payload: { delay: 5 } }), MANAGER),
		at: (where: 'hub' | 'gateway', id: string) => box[where].find(id),
		until: (where: 'hub' | 'gateway', id: string, status: string) =>
			waitFor(`${status} at the ${where}`, 30_000, async () => box[where].find(id)?.status === status),
		untilAccepted: (id: string) =>
			waitFor('the gateway has it', 30_000, async () => box.hub.find(id)?.acceptedAt !== null),
	};
	return box;
}

test('a command of the hub is queued at the gateway, and the hub is told what becomes of it', async (t) => {
	const box = await pair(t);
	const { id } = await box.create();
	await box.untilAccepted(id);
	t.like(box.at('gateway', id), {
		name: 'restart',
		payload: { delay: 5 },
		origin: 'hub',
		actor: { userId: null, email: MANAGER.email },
	});
	await box.gateway.advance(id, { status: 'sent' });
	await box.until('hub', id, 'sent');
	await box.gateway.advance(id, { status: 'executed', result: { uptime: 1 } });
	await box.until('hub', id, 'executed');
	const [hub, gateway] = [box.at('hub', id), box.at('gateway', id)];
	t.deepEqual(hub?.result, { uptime: 1 });
	t.is(hub?.sentAt, gateway?.sentAt ?? null);
	t.is(hub?.executedAt, gateway?.executedAt ?? null);
});

test('the answers of devices reach the hub, also those that came while it was away', async (t) => {
	const box = await pair(t);
	box.gatewaySide().response(PUMP, { command_id: 'a' });
	await waitFor('the answer', 30_000, async () => box.heard.length === 1);
	box.wire.isUp = false;
	box.gatewaySide().response(PUMP, { command_id: 'b' });
	box.gatewaySide().response(PUMP, { command_id: 'c', text: 'x'.repeat(20_000) });
	box.connect();
	await waitFor('the other answers', 30_000, async () => box.heard.length === 3);
	t.deepEqual(box.heard, [
		['pump', { command_id: 'a' }],
		['pump', { command_id: 'b' }],
		['pump', { command_id: 'c', status: null }],
	]);
});

test('a command for a gateway that is away is handed on when it comes, in order', async (t) => {
	const box = await pair(t);
	box.wire.isUp = false;
	const made: string[] = [];
	for (let count = 0; count < 60; count += 1) made.push((await box.create(`c${count}`)).id);
	t.deepEqual(box.down, []);
	box.connect();
	await box.untilAccepted(made.at(-1) ?? '');
	t.deepEqual(
		box.gateway.open().map(({ id }) => id),
		made,
	);
	t.is(box.down.length, 2, 'in messages of at most fifty');
});

test('a command that ran out before the gateway came is never handed on', async (t) => {
	const box = await pair(t);
	box.wire.isUp = false;
	const { id } = await box.create('restart', 5_000);
	await box.pass(6_000);
	t.is(box.at('hub', id)?.status, 'expired');
	box.connect();
	const { id: next } = await box.create('next');
	await box.untilAccepted(next);
	t.is(box.at('gateway', id), null);
});

test('a command that comes again is carried out once, and answered with where it stands', async (t) => {
	const box = await pair(t);
	const queued: string[] = [];
	box.gateway.listen({ queued: ({ id }) => void queued.push(id) });
	box.wire.losesReports = true;
	const { id } = await box.create();
	await waitFor('the gateway has it', 30_000, async () => box.at('gateway', id) !== null);
	await box.gateway.advance(id, { status: 'executed', result: { ok: true } });
	t.like(box.at('hub', id), { status: 'pending', acceptedAt: null });
	box.wire.losesReports = false;
	box.connect();
	await box.until('hub', id, 'executed');
	t.deepEqual(box.at('hub', id)?.result, { ok: true });
	await box.restartGateway();
	const [first] = box.down;
	if (first !== undefined) box.gatewaySide().received(linkMessage('command', first));
	await waitFor('it is answered again', 30_000, async () => box.reports.length >= 2);
	t.deepEqual(queued, [id]);
	t.is(box.at('gateway', id)?.status, 'executed');
});

test('a hub that was killed hands on again, and the gateway carries out once', async (t) => {
	const box = await pair(t);
	box.wire.losesReports = true;
	const { id } = await box.create();
	await waitFor('the gateway has it', 30_000, async () => box.at('gateway', id) !== null);
	box.wire.losesReports = false;
	await box.restartHub();
	t.is(box.at('hub', id)?.status, 'pending');
	box.connect();
	await box.untilAccepted(id);
	t.is(box.down.length, 2);
	t.is(box.gateway.open().length, 1);
});

test('while a gateway may have a command, the hub does not say that it expired; the gateway says so', async (t) => {
	const box = await pair(t);
	const { id } = await box.create('restart', 5_000);
	await box.untilAccepted(id);
	box.wire.isUp = false;
	await box.pass(10_000);
	t.is(box.at('hub', id)?.status, 'pending');
	t.is(box.at('gateway', id)?.status, 'expired');
	box.connect();
	await box.until('hub', id, 'expired');
});

test('a command that the device carried out in time is executed at the hub, though the hub hears of it late', async (t) => {
	const box = await pair(t);
	const { id } = await box.create('restart', 5_000);
	await box.untilAccepted(id);
	box.wire.isUp = false;
	await box.gateway.advance(id, { status: 'executed' });
	await box.pass(10_000);
	box.connect();
	t.true(await box.until('hub', id, 'executed'));
});

test('a gateway that does not come back is not waited for without end', async (t) => {
	const box = await pair(t);
	const { id } = await box.create('restart', 5_000);
	await box.untilAccepted(id);
	box.wire.isUp = false;
	for (let hours = 0; hours < 25; hours += 1) await box.pass(HOUR_MS);
	t.is(box.at('hub', id)?.status, 'expired');
});

test('a gateway that has lost a command that it had says so, and does not begin it anew', async (t) => {
	const box = await pair(t);
	const { id } = await box.create();
	await box.untilAccepted(id);
	box.gatewaySide().received(
		linkMessage('command', {
			commands: [
				{
					command_id: '01900000-0000-7000-8000-000000000009',
					device: PUMP.id,
					name: 'restart',
					payload: {},
					expires_in_ms: 5_000,
					actor: '',
					is_accepted: true,
				},
			],
		}),
	);
	await waitFor('the word of the gateway', 30_000, async () =>
		box.reports.some(({ changes }) => changes.some(({ error }) => error?.includes('has lost the command') ?? false)),
	);
	t.is(box.gateway.open().length, 1);
});

test('what the device does not take comes back as failed with the sentence of the gateway', async (t) => {
	const box = await pair(t, ({ name }) => {
		if (name === 'fly') throw new Fault('rule-violation', 'pumps do not fly');
	});
	const { id } = await box.create('fly');
	await box.until('hub', id, 'failed');
	t.is(box.at('hub', id)?.error, 'pumps do not fly');
});

test('a gateway tells of its own devices and commands and of no others', async (t) => {
	const box = await pair(t);
	const own = await box.hub.create(OWN, draftOfCommand(), MANAGER);
	t.deepEqual(box.down, []);
	const change = { status: 'executed', sent_at: null, executed_at: null, error: null, result: null } as const;
	const report = { changes: [{ command_id: own.id, ...change }], responses: [{ device: OWN.id, data: {} }] };
	const other = createGatewayCommands({
		commands: box.hub,
		deviceOf: () => OWN,
		isOnline: () => true,
		send: () => true,
		listeners: [() => t.fail('the answer of a foreign device was told')],
		clock: { now: () => own.createdAt },
		log: silentLog,
	});
	await other.feature.hears.commands(GATEWAY, linkMessage('commands', report));
	t.is(box.at('hub', own.id)?.status, 'pending');
});
