import test from 'ava';

import { casesOf, uncovered } from './kit/derived-cases.ts';
import { readOperations, statusesOf } from './kit/document.ts';
import { readEvents } from './kit/event-document.ts';
import { eventGaps, EVENT_CASES } from './kit/test-events.ts';
import { planOf, plansBeyond } from './plan/plans.ts';

const operations = readOperations();

const countOf = (reference: string): number =>
	operations.filter(({ sources }) => sources.some((source) => source.reference === reference)).length;

test('the documents have the 28 operations of reference 000 and the 13 of reference 002', (t) => {
	t.deepEqual([countOf('000'), countOf('002')], [28, 13]);
});

test('every operation of a document has a success and each refusal that its document names', (t) => {
	t.deepEqual(
		operations.flatMap((operation) => uncovered(operation, casesOf(operation, planOf(operation)))),
		[],
	);
});

test('no plan belongs to an operation that the documents do not have', (t) => {
	t.deepEqual(plansBeyond(operations), []);
});

test('an operation without a case for a documented refusal is found', (t) => {
	for (const operation of operations) {
		const cases = casesOf(operation, planOf(operation));
		for (const status of statusesOf(operation).filter((one) => one !== 500))
			t.is(
				uncovered(
					operation,
					cases.filter((one) => one.status !== status),
				).length,
				1,
				`${operation.id} ${status}`,
			);
	}
});

test('every event and topic has a case that works, and one that is refused where clients send it', (t) => {
	t.deepEqual(eventGaps(readEvents(), EVENT_CASES), []);
});

test('an event without a case is found', (t) => {
	const events = readEvents();
	for (const { id } of events)
		t.true(
			eventGaps(
				events,
				EVENT_CASES.filter(({ event }) => event !== id),
			).length > 0,
			id,
		);
});
