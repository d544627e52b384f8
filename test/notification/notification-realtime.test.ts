import test from 'ava';

import { createNotificationRealtime } from '../../core/notification/notification-realtime.ts';
import { createNotificationService } from '../../core/notification/notification-service.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { ask, heard, realtimeBox } from '../fake/realtime-box.ts';

const ALICE = actorOfRole('editor', 'aa000000-0000-4000-8000-000000000001');
const BOB = actorOfRole('viewer', 'aa000000-0000-4000-8000-000000000002');

async function served() {
	const box = await realtimeBox();
	box.passes.set('alice', { actor: ALICE });
	box.passes.set('bob', { actor: BOB });
	const notifications = createNotificationService();
	notifications.addChannel(createNotificationRealtime(box));
	return { ...box, notifications };
}

for (const transport of ['websocket', 'polling'] as const)
	test(`a notification reaches each page of its users and nobody else, over ${transport}`, async (t) => {
		const { client, close, notifications } = await served();
		t.teardown(close);
		const pages = ['alice', 'alice', 'bob'].map((token) => client(token, '/notification', transport));
		const received: unknown[][] = pages.map(() => []);
		for (const [index, page] of pages.entries()) {
			page.on('notification', (event: unknown) => void received[index]?.push(event));
			const { userId } = index < 2 ? ALICE : BOB;
			t.deepEqual(await ask(page, 'join_user_room', { user_id: userId }), { success: true });
		}
		notifications.notify([ALICE.userId], { title: 'Hot', message: 'It is hot', type: 'warning' });
		notifications.notify([ALICE.userId, BOB.userId], {
			title: 'Hotter',
			message: 'It is hotter',
			type: 'critical',
			alertId: 'a1000000-0000-4000-8000-000000000001',
			deviceUid: deviceUid('meter-1'),
		});
		notifications.notify([], { title: '', message: '', type: 'info' });
		for (const page of pages) await ask(page, 'join_user_room', {});
		const hot = { title: 'Hot', message: 'It is hot', type: 'warning' };
		const hotter = {
			title: 'Hotter',
			message: 'It is hotter',
			type: 'critical',
			alert_id: 'a1000000-0000-4000-8000-000000000001',
			device_uid: 'meter-1',
		};
		t.deepEqual(received, [[hot, hotter], [hot, hotter], [hotter]]);
	});

test('only the own room is joined, and nobody is notified who did not join', async (t) => {
	const { client, close, notifications } = await served();
	t.teardown(close);
	const bob = client('bob', '/notification');
	await heard(bob, 'connect');
	let count = 0;
	bob.on('notification', () => (count += 1));
	const cases: readonly (readonly [unknown, string])[] = [
		[{ user_id: ALICE.userId }, 'PERMISSION_DENIED'],
		[{ user_id: 'bob' }, 'VALIDATION_ERROR'],
		[{ user_id: null }, 'VALIDATION_ERROR'],
		[{ user_id: [BOB.userId] }, 'VALIDATION_ERROR'],
		[BOB.userId, 'VALIDATION_ERROR'],
		[null, 'VALIDATION_ERROR'],
	];
	for (const [payload, code] of cases) t.like(await ask(bob, 'join_user_room', payload), { error_code: code });
	notifications.notify([ALICE.userId, BOB.userId], { title: 'x', message: 'x', type: 'info' });
	await ask(bob, 'join_user_room', {});
	t.is(count, 0);
});
