import test from 'ava';

import { Fault } from '../../core/kernel/fault.ts';
import { gatewayId } from '../../core/kernel/id.ts';
import { credibleRanges } from '../../gateway/uplink/credible-ranges.ts';
import { createScanWindow } from '../../gateway/uplink/scan-window.ts';

async function* nothing(): AsyncGenerator<never> {
	yield* [];
}

const OWN = { epoch: 7, lastSeq: 100 };

test('a hub can hold nothing that was not read yet', (t) => {
	t.deepEqual(
		credibleRanges(
			[
				{ epoch: 6, ranges: [{ first: 1, last: 9_000 }] },
				{
					epoch: 7,
					ranges: [
						{ first: 1, last: 50 },
						{ first: 60, last: 1_000 },
						{ first: 2_000, last: 3_000 },
					],
				},
				{ epoch: 8, ranges: [{ first: 1, last: Number.MAX_SAFE_INTEGER }] },
			],
			OWN,
		),
		[
			{ epoch: 6, ranges: [{ first: 1, last: 9_000 }] },
			{
				epoch: 7,
				ranges: [
					{ first: 1, last: 50 },
					{ first: 60, last: 100 },
				],
			},
		],
	);
});

test('a hub that names boots without end takes no memory without end', (t) => {
	const position = { segment: 0, offset: 0 };
	const window = createScanWindow({
		origin: gatewayId('9a000000-0000-4000-8000-000000000001'),
		journal: {
			oldest: () => position,
			end: () => position,
			hold: () => undefined,
			read: () => nothing(),
		},
		isOnTheWay: () => false,
		settle: (reading) => reading,
		givenUp: () => undefined,
	});
	const boots = Array.from({ length: 60_000 }, (_, epoch) => ({ epoch, ranges: [{ first: 1, last: 1 }] }));
	t.throws(() => window.note(boots), { instanceOf: Fault, message: /boots/ });
	window.reset([]);
	const ranges = Array.from({ length: 210_000 }, (_, index) => ({ first: 2 * index, last: 2 * index }));
	t.throws(() => window.note([{ epoch: 1, ranges }]), { instanceOf: Fault, message: /pieces/ });
	t.true(window.acked(0).length <= 1);
});
