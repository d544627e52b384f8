import test from 'ava';
import { fuzzFrames } from './fuzz/frame-fuzz.ts';

// oxlint-disable-next-line node/no-process-env -- the long run is made with a million frames
const { DRAWBRIDGE_FUZZ_FRAMES = '20000', DRAWBRIDGE_FUZZ_SEED = '1' } = process.env;
const frames = Math.ceil(Number(DRAWBRIDGE_FUZZ_FRAMES) / 3);

for (const kind of ['tcp', 'rtu', 'ascii'] as const) {
	test(`no damaged ${kind} frame is taken for an answer it is not`, async (t) => {
		t.timeout(4_000_000);
		const counts = await fuzzFrames(kind, frames, Number(DRAWBRIDGE_FUZZ_SEED));
		t.log(kind, Object.fromEntries(counts));
		t.true((counts.get('data') ?? 0) > frames / 20);
		t.true((counts.get('closed') ?? 0) > frames / 20);
		t.true((counts.get('corrupt') ?? 0) > 0);
	});
}
