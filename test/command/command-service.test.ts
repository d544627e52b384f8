import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';

import { type Command, type CommandStatus, isOpen, TRANSITIONS } from '../../core/command/command.ts';
import { addCommandMetrics } from '../../core/box/command-part.ts';
import { createCommandIds } from '../../core/command/command-id.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { isUuid } from '../../core/kernel/id.ts';
import { createMetrics } from '../../core/system/metrics.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { commandBox, draftOfCommand } from '../fake/command-box.ts';
import { deviceOf } from '../fake/device-box.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const MANAGER = actorOfRole('manager');
const DEVICE = deviceOf(1, 'pump');
const OTHER = deviceOf(2, 'valve');

const ALL: readonly CommandStatus[] = ['pending', 'sent', 'executed', 'failed', 'expired'];
const LEGAL = new Set([
	'pending sent',
	'pending executed',
	'pending failed',
	'pending expired',
	'sent executed',
	'sent failed',
	'sent expired',
]);

async function opened(t: ExecutionContext, rules: Parameters<typeof commandBox>[0] = {}) {
	const box = await commandBox(rules);
	t.teardown(box.close);
	return box;
}

const namesOf = (list: readonly Command[]) => list.map(({ name }) => name);

/** Lets what was started by a timer reach the disk. */
const settled = async (box: Awaited<ReturnType<typeof commandBox>>): Promise<void> => {
	await box.commands.advance('none', {});
};

test('executed, failed and expired are final, and no status comes back', (t) => {
	for (const from of ALL)
		for (const to of ALL) t.is(TRANSITIONS[from].includes(to), LEGAL.has(`${from} ${to}`), `${from} to ${to}`);
	t.deepEqual(
		ALL.filter((status) => isOpen({ status, origin: 'local' })),
		['pending', 'sent'],
	);
});

test('ids sort in the order they were made, whatever the clock does', (t) => {
	fc.assert(
		fc.property(fc.array(fc.integer({ min: -2_000, max: 2_000 }), { minLength: 1, maxLength: 300 }), (jumps) => {
			const clock = createManualClock();
			const next = createCommandIds(clock);
			const ids = jumps.map((jump) => {
				clock.jumpTo(clock.now() + jump);
				return next();
			});
			return ids.every(isUuid) && new Set(ids).size === ids.length && ids.toSorted().join() === ids.join();
		}),
	);
	const next = createCommandIds({ now: () => epochMs(1) });
	const many = Array.from({ length: 10_000 }, next);
	t.deepEqual(many.toSorted(), many);
});

for (const [from, to] of ALL.flatMap((one) => ALL.map((other) => [one, other] as const))) {
	if (to === 'expired' || from === to) continue;
	const isLegal = LEGAL.has(`${from} ${to}`) || (from === 'expired' && to === 'failed');
	test(`an update from ${from} to ${to} is ${isLegal ? 'taken' : 'a conflict'}`, async (t) => {
		const { commands, timer } = await opened(t);
		const { id } = await commands.create(DEVICE, draftOfCommand('restart', { ttlMs: 500 }), MANAGER);
		if (from === 'expired') {
			timer.advance(1_000);
			await commands.advance('none', {});
		} else await commands.advance(id, { status: from });
		t.is(commands.find(id)?.status, from);
		const update = commands.update(DEVICE.id, id, { status: to });
		if (isLegal) await t.notThrowsAsync(update);
		else t.is((await t.throwsAsync(update, { instanceOf: Fault })).reason, 'state-conflict');
	});
}

test('a status that is there already changes nothing', async (t) => {
	const { commands, timer } = await opened(t);
	const { id } = await commands.create(DEVICE, draftOfCommand(), MANAGER);
	const executed = await commands.update(DEVICE.id, id, { status: 'executed' });
	timer.advance(5_000);
	t.deepEqual(await commands.update(DEVICE.id, id, { status: 'executed', executedAt: epochMs(1) }), executed);
});

test('a command of another device does not exist', async (t) => {
	const { commands } = await opened(t);
	const { id } = await commands.create(DEVICE, draftOfCommand(), MANAGER);
	const get = () => commands.get(OTHER.id, id);
	t.is(t.throws(get, { instanceOf: Fault }).reason, 'not-found');
	const update = commands.update(OTHER.id, id, { status: 'executed' });
	t.is((await t.throwsAsync(update, { instanceOf: Fault })).reason, 'not-found');
});

test('what has run out expires, pending or sent, and says why', async (t) => {
	const box = await opened(t);
	const { commands, timer } = box;
	const heard: string[] = [];
	commands.listen({ changed: ({ name, status }) => void heard.push(`${name} ${status}`) });
	const short = await commands.create(DEVICE, draftOfCommand('short', { ttlMs: 5_000 }), MANAGER);
	const sent = await commands.create(DEVICE, draftOfCommand('sent', { ttlMs: 5_000 }), MANAGER);
	const long = await commands.create(DEVICE, draftOfCommand('long', { ttlMs: 60_000 }), MANAGER);
	await commands.advance(sent.id, { status: 'sent' });
	for (let second = 0; second < 4; second += 1) {
		timer.advance(1_000);
		await settled(box);
	}
	t.is(commands.find(short.id)?.status, 'pending');
	timer.advance(1_000);
	await settled(box);
	t.is(commands.find(short.id)?.status, 'expired');
	t.regex(commands.find(short.id)?.error ?? '', /could not be reached in time \(until 2026-01-01T00:00:05/);
	t.regex(commands.find(sent.id)?.error ?? '', /did not answer in time/);
	t.is(commands.find(long.id)?.status, 'pending');
	t.deepEqual(heard, ['sent sent', 'short expired', 'sent expired']);
	t.deepEqual(commands.stats(), {
		open: { pending: 1, sent: 0 },
		finished: { executed: 0, failed: 0, expired: 2 },
	});
});

test('a clock that is set back makes no command live longer', async (t) => {
	const box = await opened(t);
	const { commands, timer } = box;
	const { id } = await commands.create(DEVICE, draftOfCommand('short', { ttlMs: 5_000 }), MANAGER);
	timer.clock.jumpTo(timer.clock.now() - 86_400_000);
	for (let second = 0; second < 4; second += 1) {
		timer.advance(1_000);
		await settled(box);
	}
	t.is(commands.find(id)?.status, 'pending');
	for (let second = 0; second < 2; second += 1) {
		timer.advance(1_000);
		await settled(box);
	}
	t.is(commands.find(id)?.status, 'expired');
});

test('what ran out while the box was off expires with the next start', async (t) => {
	const box = await opened(t);
	const { id } = await box.commands.create(DEVICE, draftOfCommand('short', { ttlMs: 5_000 }), MANAGER);
	const next = await box.reopen();
	t.is(next.find(id)?.status, 'pending');
	box.timer.advance(6_000);
	await next.advance('none', {});
	t.is(next.find(id)?.status, 'expired');
});

test('the queue of a device takes so many open commands and no more, and another device is none the worse', async (t) => {
	const { commands } = await opened(t, { limits: { openPerDevice: 3, open: 4, all: 100 } });
	for (const name of ['a', 'b', 'c']) await commands.create(DEVICE, draftOfCommand(name), MANAGER);
	const more = await t.throwsAsync(commands.create(DEVICE, draftOfCommand('d'), MANAGER), { instanceOf: Fault });
	t.is(more.reason, 'rule-violation');
	t.regex(more.message, /3 commands of device pump are open/);
	await commands.create(OTHER, draftOfCommand('e'), MANAGER);
	const full = await t.throwsAsync(commands.create(OTHER, draftOfCommand('f'), MANAGER), { instanceOf: Fault });
	t.regex(full.message, /queue of this box is full/);
	const [first] = commands.open(DEVICE.id);
	await commands.update(DEVICE.id, first?.id ?? '', { status: 'executed' });
	await t.notThrowsAsync(commands.create(DEVICE, draftOfCommand('g'), MANAGER));
});

test('what a device does not take is refused before it is queued', async (t) => {
	const { commands } = await opened(t, {
		assertFits: () => {
			throw new Fault('rule-violation', 'no');
		},
	});
	await t.throwsAsync(commands.create(DEVICE, draftOfCommand(), MANAGER), { message: 'no' });
	t.deepEqual(commands.open(), []);
});

test('pages go from the newest to the oldest and leave nothing out', async (t) => {
	const { commands } = await opened(t);
	const made: string[] = [];
	for (let count = 0; count < 7; count += 1) made.push((await commands.create(DEVICE, draftOfCommand(), MANAGER)).id);
	await commands.create(OTHER, draftOfCommand(), MANAGER);
	const pages: string[] = [];
	let before: string | null = null;
	for (;;) {
		const page: readonly Command[] = commands.newest(DEVICE.id, before, 3);
		if (page.length === 0) break;
		pages.push(...page.map(({ id }) => id));
		before = page.at(-1)?.id ?? null;
	}
	t.deepEqual(pages, made.toReversed());
});

test('after a restart pending is pending, sent is sent, and the order is the same', async (t) => {
	const box = await opened(t);
	const made: Command[] = [];
	for (const name of ['a', 'b', 'c']) made.push(await box.commands.create(DEVICE, draftOfCommand(name), MANAGER));
	const [first, second] = made;
	await box.commands.advance(first?.id ?? '', { status: 'executed', result: { ok: true } });
	await box.commands.advance(second?.id ?? '', { status: 'sent' });
	const next = await box.reopen();
	t.deepEqual(
		next.newest(DEVICE.id, null, 10).map(({ name, status }) => `${name} ${status}`),
		['c pending', 'b sent', 'a executed'],
	);
	t.deepEqual(
		next.open(DEVICE.id).map(({ name }) => name),
		['b', 'c'],
	);
	t.deepEqual(next.find(first?.id ?? '')?.result, { ok: true });
});

test('the newest final commands of a device are kept, and their places used again', async (t) => {
	const box = await opened(t, { storeLimits: { finishedPerDevice: 3, finished: 1_000 } });
	const names = async (count: number, from: number): Promise<void> => {
		for (let made = from; made < from + count; made += 1) {
			const { id } = await box.commands.create(DEVICE, draftOfCommand(`c${made}`), MANAGER);
			await box.commands.advance(id, { status: 'executed' });
		}
	};
	await names(6, 0);
	t.deepEqual(namesOf(box.commands.newest(DEVICE.id, null, 100)), ['c5', 'c4', 'c3']);
	const next = await box.reopen();
	t.deepEqual(namesOf(next.newest(DEVICE.id, null, 100)), ['c5', 'c4', 'c3']);
	const open = await next.create(DEVICE, draftOfCommand('open'), MANAGER);
	t.deepEqual(namesOf(next.newest(DEVICE.id, null, 100)), ['open', 'c5', 'c4', 'c3']);
	await next.advance(open.id, { status: 'failed', error: 'no' });
	t.deepEqual(namesOf(next.newest(DEVICE.id, null, 100)), ['open', 'c5', 'c4']);
});

test('a command of the hub is taken once, and is remembered for as long as it may come again', async (t) => {
	const box = await opened(t, { storeLimits: { finishedPerDevice: 1, finished: 1_000 } });
	const queued: string[] = [];
	box.commands.listen({ queued: ({ name }) => void queued.push(name) });
	const handedOn = {
		id: '01900000-0000-7000-8000-000000000001',
		name: 'restart',
		payload: {},
		expiresAt: epochMs(box.timer.clock.now() + 60_000),
		email: 'operator@example.com',
	};
	t.is((await box.commands.accept(DEVICE, handedOn)).status, 'pending');
	await box.commands.advance(handedOn.id, { status: 'executed' });
	for (const name of ['a', 'b', 'c']) {
		const { id } = await box.commands.create(DEVICE, draftOfCommand(name), MANAGER);
		await box.commands.advance(id, { status: 'executed' });
	}
	t.is((await box.commands.accept(DEVICE, handedOn)).status, 'executed');
	const next = await box.reopen();
	t.is((await next.accept(DEVICE, handedOn)).status, 'executed');
	t.deepEqual(queued, ['restart', 'a', 'b', 'c']);
});

test('a command of the hub that cannot be carried out is kept with the reason, so that it is never carried out', async (t) => {
	let isFit = false;
	const box = await opened(t, {
		assertFits: () => {
			if (!isFit) throw new Fault('rule-violation', 'there is no such point');
		},
	});
	const handedOn = {
		id: '01900000-0000-7000-8000-000000000001',
		name: 'write',
		payload: {},
		expiresAt: epochMs(box.timer.clock.now() + 60_000),
		email: 'operator@example.com',
	};
	const late = { ...handedOn, id: '01900000-0000-7000-8000-000000000002', expiresAt: box.timer.clock.now() };
	t.like(await box.commands.accept(DEVICE, handedOn), { status: 'failed', error: 'there is no such point' });
	isFit = true;
	t.is((await box.commands.accept(DEVICE, handedOn)).status, 'failed');
	t.is((await box.commands.accept(DEVICE, late)).status, 'expired');
	t.deepEqual(box.commands.open(), []);
});

test('what is open of a deleted device fails', async (t) => {
	const { commands } = await opened(t);
	const { id } = await commands.create(DEVICE, draftOfCommand(), MANAGER);
	const other = await commands.create(OTHER, draftOfCommand(), MANAGER);
	await commands.fail(DEVICE.id, 'the device was deleted');
	t.like(commands.find(id), { status: 'failed', error: 'the device was deleted' });
	t.is(commands.find(other.id)?.status, 'pending');
});

test('the metrics tell the length of the queue and what became of commands', async (t) => {
	const { commands } = await opened(t);
	const metrics = createMetrics();
	addCommandMetrics(metrics, { commands });
	const [one] = [
		await commands.create(DEVICE, draftOfCommand(), MANAGER),
		await commands.create(DEVICE, draftOfCommand(), MANAGER),
	];
	await commands.advance(one.id, { status: 'executed' });
	const text = await metrics.text();
	t.regex(text, /^drawbridge_commands_open\{status="pending"\} 1$/m);
	t.regex(text, /^drawbridge_commands_open\{status="sent"\} 0$/m);
	t.regex(text, /^drawbridge_commands_finished_total\{outcome="executed"\} 1$/m);
});
