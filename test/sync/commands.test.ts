import test, { type ExecutionContext } from 'ava';

import { createHubRecordPolicy } from '../../cloud/sync/hub-record-policy.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { DEFAULT_TENANT, gatewayId, tenantId } from '../../core/kernel/id.ts';
import { createCommandRecords } from '../../core/sync/command-records.ts';
import { createFollower, type RecordKind } from '../../core/sync/record-kind.ts';
import { receivedFrom, takeRecords } from '../../core/sync/take-records.ts';
import { createGatewayRecordPolicy } from '../../gateway/sync/gateway-record-policy.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { commandBox, draftOfCommand } from '../fake/command-box.ts';
import { deviceOf, GATEWAY, HUB } from '../fake/device-box.ts';

const OTHER = gatewayId('9a000000-0000-4000-8000-000000000002');
const TENANT = tenantId('7e000000-0000-4000-8000-000000000001');
const MANAGER = actorOfRole('manager', 'aa000000-0000-4000-8000-000000000001');
const PUMP = deviceOf(1, 'pump');

/** The queues of a gateway and a hub, and the records between them. */
async function pair(t: ExecutionContext, storeLimits = {}) {
	const gateway = await commandBox();
	const hub = await commandBox({ storeLimits });
	t.teardown(async () => {
		await gateway.close();
		await hub.close();
	});
	let own = gateway.commands;
	const kindsOf = (): readonly [RecordKind, RecordKind] => [
		createCommandRecords({
			commands: own,
			commandFeed: gateway.feed(),
			policy: createGatewayRecordPolicy({ node: GATEWAY, devices: { find: () => PUMP } }),
		}),
		createCommandRecords({
			commands: hub.commands,
			commandFeed: hub.feed(),
			policy: createHubRecordPolicy({ tenantOf: () => TENANT, deviceOf: () => PUMP }),
		}),
	];
	return {
		gateway: () => own,
		hub: hub.commands,
		timer: hub.timer,
		kindsOf,
		async restartGateway() {
			own = await gateway.reopen();
		},
		/** Everything that the hub lacks. Answers how many records went. */
		async meet(peer = GATEWAY): Promise<number> {
			const [mine, theirs] = kindsOf();
			const follower = createFollower([mine], HUB, receivedFrom([theirs], peer));
			let count = 0;
			for (let batch = follower.next(); batch !== null; batch = follower.next()) {
				await takeRecords([theirs], batch, peer, silentLog);
				follower.taken(batch);
				count += batch.records.length;
			}
			return count;
		},
	};
}

test('a command that was made at a gateway is shown at its hub, and so is what becomes of it', async (t) => {
	const box = await pair(t);
	const { id } = await box.gateway().create(PUMP, draftOfCommand('restart', { payload: { delay: 5 } }), MANAGER);
	t.is(await box.meet(), 1);
	t.like(box.hub.find(id), {
		name: 'restart',
		payload: { delay: 5 },
		status: 'pending',
		origin: 'gateway',
		tenantId: TENANT,
		actor: { userId: null, email: MANAGER.email },
	});
	t.is(box.gateway().find(id)?.tenantId, DEFAULT_TENANT);
	await box.gateway().advance(id, { status: 'executed', result: { uptime: 1 } });
	t.is(await box.meet(), 1);
	t.like(box.hub.find(id), { status: 'executed', result: { uptime: 1 } });
	t.is(await box.meet(), 0);
	await box.restartGateway();
	t.is(await box.meet(), 0, 'numbers and positions are on disk');
	t.deepEqual(
		box.hub.newest(PUMP.id, null, 10).map((one) => one.id),
		[id],
	);
});

test('the hub does nothing with a command of a gateway: it is not open there, does not expire, and is not changed', async (t) => {
	const box = await pair(t);
	const { id } = await box.gateway().create(PUMP, draftOfCommand('restart', { ttlMs: 1_000 }), MANAGER);
	await box.meet();
	t.deepEqual(box.hub.open(), []);
	box.timer.advance(3_600_000);
	t.is(await box.hub.advance(id, { status: 'failed' }), null);
	await t.throwsAsync(box.hub.update(PUMP.id, id, { status: 'executed' }), { message: /change it there/ });
	await box.hub.fail(PUMP.id, 'gone');
	t.is(box.hub.find(id)?.status, 'pending');
});

test('commands of the hub are not doubled: its gateway does not tell of them, and takes none as a record', async (t) => {
	const box = await pair(t);
	const made = await box.hub.create(PUMP, draftOfCommand(), MANAGER);
	const handedOn = { id: made.id, name: made.name, payload: {}, expiresAt: made.expiresAt, email: MANAGER.email };
	await box.gateway().accept(PUMP, handedOn);
	await box.gateway().advance(made.id, { status: 'executed' });
	t.is(await box.meet(), 0);
	t.like(box.hub.find(made.id), { origin: 'local', status: 'pending' });
	const [mine] = box.kindsOf();
	const own = await box.gateway().create(PUMP, draftOfCommand(), MANAGER);
	await box.meet();
	const { tenantId: _tenant, origin: _origin, actor, ...record } = own;
	await t.throwsAsync(mine.take({ ...record, email: actor.email }, HUB), { message: /handed on as such/ });
});

test('no gateway says anything of commands of others, nor under an id that is taken', async (t) => {
	const box = await pair(t);
	const [, theirs] = box.kindsOf();
	const made = await box.hub.create(PUMP, draftOfCommand(), MANAGER);
	const { tenantId: _tenant, origin: _origin, actor, ...record } = made;
	const said = { ...record, email: actor.email };
	await t.throwsAsync(theirs.take(said, GATEWAY), { message: /another command/ });
	const fresh = { ...said, id: 'c0000000-0000-7000-8000-000000000001' };
	await t.throwsAsync(theirs.take(fresh, OTHER), { message: /not of this gateway/ });
	await t.throwsAsync(theirs.take({ ...fresh, payload: { a: 'x'.repeat(5_000) } }, GATEWAY), { message: /payload/ });
	await t.notThrowsAsync(theirs.take(fresh, GATEWAY));
});

test('a hub shows the newest commands of gateways only, and forgets none of its own for them', async (t) => {
	const box = await pair(t, { shownPerDevice: 5 });
	const mine = await box.hub.create(PUMP, draftOfCommand('mine'), MANAGER);
	await box.hub.advance(mine.id, { status: 'executed' });
	const ids: string[] = [];
	for (let index = 0; index < 12; index += 1)
		ids.push((await box.gateway().create(PUMP, draftOfCommand(`n-${index}`), MANAGER)).id);
	t.is(await box.meet(), 12);
	const shown = box.hub.newest(PUMP.id, null, 50).map(({ id }) => id);
	t.deepEqual(shown.toSorted(), [...ids.slice(-5), mine.id].toSorted());
	t.is(await box.meet(), 0);
});
