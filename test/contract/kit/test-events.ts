import test from 'ava';

import { deviceCases } from '../event/device-cases.ts';
import { monitoringCases } from '../event/monitoring-cases.ts';
import { notificationCases } from '../event/notification-cases.ts';
import { topicCases } from '../event/topic-cases.ts';
import type { EventCase } from './event-case.ts';
import { isTree } from './document.ts';
import { type EventOperation, eventsOf, readEvents } from './event-document.ts';
import { send } from './http-client.ts';
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

/** What the product says of its events at `/api/asyncapi.json`. */
async function fetchOwnEvents(port: number): Promise<readonly EventOperation[]> {
	const { body } = await send(port, { method: 'GET', path: '/api/asyncapi.json' });
	return isTree(body) ? eventsOf(body) : [];
}

/** The same event in another document. */
const sameIn = (events: readonly EventOperation[], { action, address, name }: EventOperation) =>
	events.find((one) => one.action === action && one.address === address && one.name === name);

/** An event whose payloads and acknowledgements both documents judge. */
function inBoth(event: EventOperation, own: EventOperation | undefined): EventOperation {
	if (own === undefined) return event;
	const { payload, ack } = event;
	return {
		...event,
		payload: (value) => [...payload(value), ...own.payload(value).map((text) => `own document: ${text}`)],
		ack: (value) => [...(ack?.(value) ?? []), ...(own.ack?.(value) ?? []).map((text) => `own document: ${text}`)],
	};
}

/** Every case of every event and topic: at a gateway, or at a hub for devices behind a gateway. */
export function testEvents(role: 'gateway' | 'hub'): void {
	const events = readEvents();
	const passed: EventCase[] = [];
	let scene: Scene;
	let ownEvents: readonly EventOperation[];

	test.before('boxes with people', async () => {
		scene = await openScene(role);
		ownEvents = await fetchOwnEvents(scene.stage.box.httpPort);
	});
	test.after.always('the boxes end', () => scene.stop());

	for (const event of events)
		for (const one of EVENT_CASES.filter((each) => each.event === event.id)) {
			const title = `${role}: ${event.address} ${event.name}: ${one.name}`;
			test.serial(title, async (t) => {
				await one.run(t, scene, inBoth(event, sameIn(ownEvents, event)));
				passed.push(one);
			});
		}

	test.serial(`${role}: the document that it writes of itself has every event and topic`, (t) => {
		t.deepEqual(
			events.filter((event) => sameIn(ownEvents, event) === undefined).map(({ id }) => id),
			[],
		);
	});

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
