import test from 'ava';

import type { Reading } from '../../core/telemetry/reading.ts';
import { memoryTelemetry } from '../fake/memory-telemetry.ts';
import { readingOf } from '../fake/sample-readings.ts';

test('what is accepted counts on both lanes; only the live lane is news', async (t) => {
	const news: Reading[] = [];
	const { telemetry, readings } = memoryTelemetry([(reading) => void news.push(reading)]);
	const [live, late] = [readingOf(9), readingOf(1)];
	await telemetry.acceptStamped([live], 'live', 'group');
	await telemetry.acceptStamped([late], 'backfill', 'prompt');
	const { firstSeq: _firstSeq, origin: _origin, epoch: _epoch, ...draft } = readingOf(17);
	const own = await telemetry.accept(draft, 'group');
	t.deepEqual(news, [live, own]);
	t.deepEqual(readings, [live, late, own]);
	t.is(telemetry.acceptedSamples(), 24);
});
