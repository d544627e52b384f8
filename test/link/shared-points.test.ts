import test from 'ava';

import { createSharedPoints } from '../../cloud/ingest/shared-points.ts';
import { deviceOf, readingOf } from '../fake/sample-readings.ts';

test('readings of one device and type share their list of points as long as it is the same', (t) => {
	const share = createSharedPoints();
	const fresh = (more = {}) => share(readingOf(1, { points: ['a', 'b'], values: [1, 2], ...more }));
	const first = fresh();
	t.is(fresh().points, first.points);
	t.deepEqual(fresh(), first);
	t.not(fresh({ device: deviceOf(2) }).points, first.points);
	t.not(fresh({ telemetryType: 'status' }).points, first.points);

	const renamed = fresh({ points: ['a', 'c'] });
	t.deepEqual(renamed.points, ['a', 'c']);
	t.is(fresh({ points: ['a', 'c'] }).points, renamed.points);
});
