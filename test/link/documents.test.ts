import test from 'ava';

import { parseDocuments } from '../../core/link/link-messages.ts';
import { deviceOf } from '../fake/device-box.ts';

/** An object in an object, so many times. */
function nested(levels: number): object {
	let inner: object = {};
	for (let level = 0; level < levels; level += 1) inner = { inner };
	return inner;
}

test('a gateway can say no more of a device than people can, and one that says more hides no other', (t) => {
	const wide = Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`k${at}`, at]));
	const metadata = [{ place: { floor: 1 } }, nested(1_000), wide];
	const devices = metadata.map((one, at) => Object.assign(deviceOf(at, `meter-${at}`), { metadata: one }));
	const payload = Buffer.from(JSON.stringify({ devices, health: [] }));
	const { devices: taken, mistakes } = parseDocuments(payload);
	t.deepEqual(
		taken.map(({ uid }) => uid),
		[devices[0]?.uid],
	);
	t.is(mistakes.length, 2);
	for (const mistake of mistakes) t.regex(mistake, /metadata/);
});
