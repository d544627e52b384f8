import test from 'ava';

import { deviceCases } from '../event/device-cases.ts';
import { monitoringCases } from '../event/monitoring-cases.ts';
import { notificationCases } from '../event/notification-cases.ts';
import { topicCases } from '../event/topic-cases.ts';
import type { EventCase } from './event-case.ts';
import { type EventOperation, readEvents } from './event-document.ts';
import { openScene, type Scene } from './scene.ts';

/** Every case of every event and topic. */
export const EVENT_CASES: readonly EventCase[] = [
	...monitoringCases,
	...deviceCases,
	...notificationCases,
	...topicCases,
];

/** Events without a case that shows them, and cases of events that the document does not have. */
export function eventGaps(events: readonly EventOperation[], cases: readonly EventCase[]): readonly string[] {
	const unknown = cases.filter(({ event }) => !events.some(({ id }) => id === event));
	const unseen = events.filter(({ id }) => !cases.some(({ event, isRefusal }) => event === id && !isRefusal));
	const unrefused = events.filter(
		({ id, action }) => action === 'receive' && !cases.some(({ event, isRefusal }) => event === id && isRefusal),
	);
	return [
		...unknown.map(({ event }) => `${event} is not documented`),
		...unseen.map(({ id }) => `${id} has no case that works`),
		...unrefused.map(({ id }) => `${id} has no case that is refused`),
	];
}

/** Every case of every event and topic: at a gateway, or at a hub for devices behind a gateway. */
export function testEvents(role: 'gateway' | 'hub'): void {
	const events = readEvents();
	const passed: EventCase[] = [];
	let scene: Scene;

	test.before('boxes with people', async () => {
		scene = await openScene(role);
	});
	test.after.always('the boxes end', () => scene.stop());

	for (const event of events)
		for (const one of EVENT_CASES.filter((each) => each.event === event.id)) {
			const title = `${role}: ${event.address} ${event.name}: ${one.name}`;
			test.serial(title, async (t) => {
				await one.run(t, scene, event);
				passed.push(one);
			});
		}

	test.serial(`${role}: no event has met a defect`, (t) => {
		for (const { id, address, name } of events) {
			const own = EVENT_CASES.filter(({ event }) => event === id);
			const refused = own.filter(({ isRefusal }) => isRefusal).length;
			const good = passed.filter(({ event }) => event === id).length;
			const counts = `ok ${String(own.length - refused).padStart(2)}  refused ${String(refused).padStart(2)}`;
			t.log(
				`${`${address} ${name}`.padEnd(36)} ${counts}  ${good === own.length ? 'pass' : `FAIL (${own.length - good})`}`,
			);
		}
		const sockets = events.filter(({ transport }) => transport === 'socketio').length;
		t.log(`${sockets} events, ${events.length - sockets} topics; ${passed.length} of ${EVENT_CASES.length} cases pass`);
		t.deepEqual([...scene.stage.box.errors(), ...scene.field.box.errors()], []);
	});
}
