import { setImmediate as nextTurn } from 'node:timers/promises';

import test from 'ava';
import fc from 'fast-check';
import Joi from 'joi';
import type { Socket as ClientSocket } from 'socket.io-client';
import { WebSocket } from 'ws';

import { epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { RealtimeLimits } from '../../core/realtime/realtime-server.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { createManualTimer } from '../fake/manual-timer.ts';
import { ask, heard, realtimeBox } from '../fake/realtime-box.ts';

const NAMESPACES = ['/monitoring', '/device', '/notification'] as const;
const ALICE = actorOfRole('viewer', 'aa000000-0000-4000-8000-000000000001');
const BOB = actorOfRole('viewer', 'aa000000-0000-4000-8000-000000000002');
const NOW = Date.UTC(2026, 0, 1);

const anything = Joi.object<{ text: string }>({ text: Joi.string().required() }).options({ stripUnknown: true });

/** A server with three namespaces and an event that answers with what it was told, fails, or is late. */
async function served(limits: Partial<RealtimeLimits> = {}) {
	const timer = createManualTimer();
	const box = await realtimeBox(limits, timer);
	const changed: string[] = [];
	box.passes.set('alice', { actor: ALICE, endsAt: epochMs(NOW + 60_000) });
	box.passes.set('bob', { actor: BOB });
	for (const name of NAMESPACES) {
		const namespace = box.realtime.namespace(name, (socket) => void changed.push(box.realtime.actorOf(socket).role));
		namespace.on('connection', (socket) =>
			box.realtime.on(socket, 'say', anything, async ({ text }, { userId }) => {
				if (text === 'fault') throw new Fault('not-found', 'there is none');
				if (text === 'defect') throw new TypeError('secret detail');
				await nextTurn();
				return { body: { text, userId } };
			}),
		);
	}
	return { ...box, timer, changed };
}

const connected = async (socket: ClientSocket): Promise<ClientSocket> => {
	await heard(socket, 'connect');
	return socket;
};

for (const namespace of NAMESPACES)
	for (const transport of ['websocket', 'polling'] as const)
		test(`${namespace} over ${transport} lets a valid token in and says why it refuses others`, async (t) => {
			const { client, close, passes } = await served();
			t.teardown(close);
			passes.set('old', { actor: ALICE, endsAt: epochMs(NOW) });
			const refusals = [
				[null, 'NOT_AUTHENTICATED'],
				['', 'NOT_AUTHENTICATED'],
				['forged', 'INVALID_CREDENTIALS'],
				['old', 'TOKEN_EXPIRED'],
			] as const;
			for (const [token, code] of refusals)
				t.like(await heard(client(token, namespace, transport), 'connect_error'), {
					data: { success: false, error_code: code },
				});
			const socket = client('alice', namespace, transport);
			t.like(await ask(socket, 'say', { text: 'hello' }), { success: true, text: 'hello', userId: ALICE.userId });
		});

test('there is no other namespace', async (t) => {
	const { client, close } = await served();
	t.teardown(close);
	for (const name of ['/nowhere', '/monitoring/x'])
		t.is((await heard<Error>(client('alice', name), 'connect_error')).message, 'Invalid namespace');
});

test('a connection ends at the end of its token, in each namespace at its own', async (t) => {
	const { client, close, timer, realtime } = await served();
	t.teardown(close);
	const alice = await connected(client('alice', '/monitoring'));
	const bob = await connected(client('bob', '/monitoring'));
	timer.advance(59_999);
	t.like(await ask(alice, 'say', { text: 'still here' }), { success: true });
	const gone = heard(alice, 'disconnect');
	timer.advance(1);
	t.is(await gone, 'io server disconnect');
	t.like(await ask(bob, 'say', { text: 'me too' }), { success: true });
	t.is(realtime.connections(), 1);
});

test('a fresh token of the same person keeps the connection', async (t) => {
	const { client, close, timer, passes } = await served();
	t.teardown(close);
	passes.set('alice-2', { actor: ALICE, endsAt: epochMs(NOW + 120_000) });
	const alice = await connected(client('alice', '/monitoring'));
	const refused = [
		[{ token: 'bob' }, 'PERMISSION_DENIED'],
		[{ token: 'forged' }, 'INVALID_CREDENTIALS'],
		[{ token: 7 }, 'VALIDATION_ERROR'],
		[{}, 'VALIDATION_ERROR'],
		['alice-2', 'VALIDATION_ERROR'],
	] as const;
	for (const [payload, code] of refused) t.like(await ask(alice, 'authenticate', payload), { error_code: code });
	t.deepEqual(await ask(alice, 'authenticate', { token: 'alice-2' }), { success: true });
	timer.advance(60_000);
	t.like(await ask(alice, 'say', { text: 'still here' }), { success: true });
	const gone = heard(alice, 'disconnect');
	timer.advance(60_000);
	await gone;
	t.pass();
});

test('other rights of a person are noticed at the next event, and at the check without one', async (t) => {
	const { client, close, passes, changed } = await served({ tokenCheckMs: 20 });
	t.teardown(close);
	const alice = await connected(client('alice', '/monitoring'));
	t.like(await ask(alice, 'say', { text: 'x' }), { success: true });
	t.deepEqual(changed, []);
	passes.set('alice', { actor: { ...ALICE, role: 'user' } });
	for (let turn = 0; turn < 10_000 && changed.length === 0; turn += 1) await nextTurn();
	passes.set('alice', { actor: { ...ALICE, role: 'editor' } });
	await ask(alice, 'say', { text: 'x' });
	t.deepEqual([...new Set(changed)], ['user', 'editor']);
	passes.delete('alice');
	await heard(alice, 'disconnect');
});

test('a connection ends with the account behind it, at once, and others stay', async (t) => {
	const { client, close, passes, realtime } = await served({ tokenCheckMs: 1_000_000 });
	t.teardown(close);
	const [alice, bob] = [client('alice', '/monitoring'), client('bob', '/monitoring')];
	await Promise.all([connected(alice), connected(bob)]);
	const gone = heard(alice, 'disconnect');
	passes.clear();
	realtime.accountChanged(ALICE.userId);
	await gone;
	t.true(bob.connected);
});

test('every event is acknowledged once, whatever comes, and nothing breaks', async (t) => {
	const { client, close } = await served({ events: { perSecond: 1, burst: 10_000 } });
	t.teardown(close);
	const alice = await connected(client('alice', '/monitoring'));
	t.like(await ask(alice, 'say', { text: 'fault' }), { error_code: 'RESOURCE_NOT_FOUND', detail: 'there is none' });
	t.like(await ask(alice, 'say', { text: 'defect' }), {
		error_code: 'INTERNAL_ERROR',
		detail: 'an unexpected error occurred',
	});
	t.like(await ask(alice, 'say'), { error_code: 'VALIDATION_ERROR' });
	t.like(await ask(alice, 'say', { text: 'a' }, { text: 'b' }, 'c'), { text: 'a' });
	await fc.assert(
		fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 4 }), async (payload) => {
			// Without a callback: an absurd last argument must not be called.
			alice.emit('say', ...payload);
			const answer: unknown = await ask(alice, 'say', ...payload);
			return typeof answer === 'object' && answer !== null && 'success' in answer;
		}),
		{ numRuns: 200 },
	);
	t.like(await ask(alice, 'say', Buffer.from('binary')), { error_code: 'VALIDATION_ERROR' });
	let acknowledgements = 0;
	for (let count = 0; count < 100; count += 1)
		alice.emit('say', { text: count % 2 === 0 ? 'x' : 'defect' }, () => (acknowledgements += 1));
	await ask(alice, 'say', { text: 'last' });
	t.is(acknowledgements, 100);
});

test('events beyond the rate are refused, and a flood ends the connection', async (t) => {
	const { client, close, timer, realtime } = await served({
		events: { perSecond: 2, burst: 3 },
		messages: { perSecond: 10, burst: 50 },
	});
	t.teardown(close);
	const alice = await connected(client('alice', '/monitoring'));
	const bob = await connected(client('bob', '/monitoring'));
	for (let count = 0; count < 3; count += 1) t.like(await ask(alice, 'say', { text: 'x' }), { success: true });
	t.like(await ask(alice, 'say', { text: 'x' }), { success: false, error_code: 'RATE_LIMITED' });
	t.like(await ask(bob, 'say', { text: 'x' }), { success: true }, 'others are not concerned');
	timer.advance(1_000);
	for (let count = 0; count < 2; count += 1) t.like(await ask(alice, 'say', { text: 'x' }), { success: true });
	t.like(await ask(alice, 'say', { text: 'x' }), { error_code: 'RATE_LIMITED' });
	const gone = heard(alice, 'disconnect');
	for (let count = 0; count < 100; count += 1) alice.emit('say', { text: 'x' });
	await gone;
	t.like(await ask(bob, 'say', { text: 'x' }), { success: true });
	t.is(realtime.connections(), 1);
});

/** What no client library sends. */
const HOSTILE: readonly string[] = [
	'',
	'9',
	'4',
	'49',
	'42',
	'42/monitoring',
	'42/monitoring,',
	'42/monitoring,{}',
	'42/monitoring,[]',
	'42/monitoring,[[[[',
	'42/monitoring,[7]',
	'42/monitoring,[null]',
	'42/monitoring,["error"]',
	'42/monitoring,["disconnect"]',
	'42/monitoring,["disconnecting"]',
	'42/monitoring,["newListener"]',
	'42/monitoring,["__proto__",{"__proto__":{"text":"x"}}]',
	'42/monitoring,["say",{"__proto__":{"text":"x"}}]',
	'42/monitoring,["constructor"]',
	'42/monitoring,99999999999999999999["say",{"text":"x"}]',
	'42/monitoring,-1["say",{"text":"x"}]',
	'43/monitoring,0["answer to nothing"]',
	'4599999-/monitoring,["say",{"_placeholder":true,"num":0}]',
	'451-/monitoring,["say",{"_placeholder":true,"num":99}]',
	'40/monitoring,{"token":"alice"}',
	'40/monitoring,{"token":{"a":1}}',
	'40/monitoring,[[[[',
	'40/nowhere,{"token":"alice"}',
	'41/monitoring,',
	`40/${'x'.repeat(10_000)},`,
	`42/monitoring,["say",${'['.repeat(5_000)}${']'.repeat(5_000)}]`,
	`42/monitoring,["say",{"text":"${'x'.repeat(20_000)}"}]`,
];

test('what no client library sends breaks nothing but its own connection', async (t) => {
	const { client, close, port, realtime } = await served();
	t.teardown(close);
	const bob = await connected(client('bob', '/monitoring'));
	for (const packet of HOSTILE) {
		const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
		socket.on('error', () => undefined);
		await new Promise<void>((resolve) => {
			socket.on('message', (message: Buffer) => {
				if (message.toString().startsWith('0{')) socket.send('40/monitoring,{"token":"alice"}');
				else if (message.toString().startsWith('40/monitoring')) resolve();
			});
		});
		const gone = new Promise<void>((resolve) => void socket.on('close', () => resolve()));
		socket.send(packet);
		socket.send(Buffer.from(packet));
		t.like(await ask(bob, 'say', { text: `after ${packet.slice(0, 20)}` }), { success: true }, packet.slice(0, 60));
		socket.close();
		await gone;
	}
	t.is(realtime.connections(), 1);
	for (const query of [
		'EIO=3&transport=websocket',
		'EIO=4&transport=carrier-pigeon',
		'EIO=4&transport=polling&sid=unknown',
	])
		t.is((await fetch(`http://127.0.0.1:${port}/socket.io/?${query}`)).status, 400, query);
	t.like(await ask(bob, 'say', { text: 'still here' }), { success: true });
});

test('what is sent within a moment does not make a client slow, what no client could owe does', async (t) => {
	const { client, close, realtime, timer } = await served({ waitingPackets: 10, slowAfterMs: 1_000 });
	t.teardown(close);
	const namespace = realtime.namespace('/device');
	namespace.on('connection', (socket) => void socket.join('room'));
	const bob = await connected(client('bob', '/device'));
	const burst = (events: number): void => {
		for (let number = 0; number < events; number += 1) {
			namespace.to('room').emit('data', number);
			realtime.cutSlow(namespace, 'room');
		}
	};
	for (let round = 0; round < 3; round += 1) {
		timer.advance(10_000);
		burst(90);
		t.like(await ask(bob, 'say', { text: 'x' }), { success: true });
	}
	const gone = heard(bob, 'disconnect');
	burst(200);
	await gone;
	t.is(realtime.connections(), 0);
});

test('what is refused is told to the audit log, what is merely wrong is not', async (t) => {
	const { client, close, refusals } = await served({ events: { perSecond: 1, burst: 5 } });
	t.teardown(close);
	await heard(client('forged', '/device'), 'connect_error');
	const alice = await connected(client('alice', '/monitoring'));
	await ask(alice, 'say', { text: 'fault' });
	await ask(alice, 'say', { text: 'defect' });
	await ask(alice, 'say', {});
	await ask(alice, 'say', { text: 'x' });
	await ask(alice, 'authenticate', { token: 'bob' });
	await ask(alice, 'say', { text: 'x' });
	const person = { userId: ALICE.userId, email: ALICE.email };
	t.deepEqual(
		refusals.map(({ action, outcome, actor, target, reason }) => [action, outcome, actor, target, reason]),
		[
			['realtime-connect', 'refused', null, '/device', 'INVALID_CREDENTIALS: the token is not valid'],
			[
				'authenticate',
				'refused',
				person,
				'/monitoring',
				'PERMISSION_DENIED: token: it belongs to another user than the connection',
			],
			['realtime-event', 'refused', person, '/monitoring', 'RATE_LIMITED: a connection takes 1 events per second'],
		],
	);
	t.true(refusals.every(({ from }) => from.includes('127.0.0.1')));
});

const EVENTS = 1_500;
const EVENT_BYTES = 64 * 1_024;
/** What was sent to the frozen client is more than this many times as much. */
const MOST_BYTES_KEPT = 32 * 1_024 * 1_024;

function usedBytes(): number {
	const { heapUsed, external } = process.memoryUsage();
	return heapUsed + external;
}

test('a websocket client that is frozen costs bounded memory, and the others miss nothing', async (t) => {
	const { client, close, realtime, port, timer, passes } = await served({ waitingPackets: 50 });
	passes.set('alice', { actor: ALICE });
	t.teardown(close);
	const namespace = realtime.namespace('/device');
	namespace.on('connection', (socket) => void socket.join('room'));
	const healthy = await connected(client('bob', '/device'));
	const frozen = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
	t.teardown(() => frozen.terminate());
	await new Promise<void>((resolve) => {
		frozen.on('message', (message: Buffer) => {
			if (message.toString().startsWith('0{')) frozen.send('40/device,{"token":"alice"}');
			else if (message.toString().startsWith('40/device')) resolve();
		});
	});
	frozen.pause();
	t.is(realtime.connections(), 2);
	const numbers: number[] = [];
	healthy.on('data', ({ number }: { readonly number: number }) => void numbers.push(number));
	const text = 'x'.repeat(EVENT_BYTES);
	let cutAfter = 0;
	for (let number = 0; number < EVENTS; number += 1) {
		timer.advance(50);
		namespace.to('room').emit('data', { number, text });
		realtime.cutSlow(namespace, 'room');
		if (cutAfter === 0 && realtime.connections() === 1) cutAfter = number;
		while (numbers.length + 20 < number) await nextTurn();
	}
	while (numbers.length < EVENTS) await nextTurn();
	t.deepEqual(numbers, [...numbers.keys()]);
	t.is(realtime.connections(), 1, 'the frozen one is cut');
	t.true(cutAfter * EVENT_BYTES < MOST_BYTES_KEPT, `cut after ${cutAfter} events`);
	t.log(`cut after ${cutAfter} events of 64 KiB; ${(usedBytes() / 1e6).toFixed(0)} MB in use`);
	t.true(healthy.connected);
});
