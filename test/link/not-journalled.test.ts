import test from 'ava';

import { newGatewayId } from '../../core/kernel/id.ts';
import { notJournalled } from '../../gateway/uplink/not-journalled.ts';

const origin = newGatewayId();

test('what the hub lacks of an earlier boot is lost as far as the journal does not hold it', (t) => {
	const owed = [
		{ epoch: 3, ranges: [{ first: 1, last: 12 }] },
		{
			epoch: 5,
			ranges: [
				{ first: 10, last: 20 },
				{ first: 40, last: 50 },
			],
		},
	];
	const held = [
		{ origin, epoch: 4, first: 1, last: 100 },
		{ origin, epoch: 5, first: 1, last: 14 },
		{ origin, epoch: 5, first: 18, last: 45 },
	];
	t.deepEqual(notJournalled(owed, held), [
		{ epoch: 3, first: 1, last: 12 },
		{ epoch: 5, first: 15, last: 17 },
		{ epoch: 5, first: 46, last: 50 },
	]);
	t.deepEqual(notJournalled([], held), []);
});
