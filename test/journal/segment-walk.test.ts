import test from 'ava';

import { encodeFrame, type Frame, FRAMES_START } from '../../core/journal/segment-format.ts';
import { walkFrames } from '../../core/journal/segment-walk.ts';
import { createPowerCutFiles } from '../fake/power-cut-files.ts';

const NONCE = 0xc0ffee;

const frame = (number: number, body: string, nonce = NONCE): Buffer => {
	const bytes = Buffer.from(body);
	const counts = { readings: 1, samples: 1, minReadAt: 0, maxReadAt: 0, definesShapes: false };
	return encodeFrame(nonce, { number, bodyBytes: bytes.length, ...counts }, bytes);
};

async function walk(parts: readonly Buffer[]): Promise<readonly Frame[]> {
	const file = await createPowerCutFiles().create('/segment');
	let end = FRAMES_START;
	for (const part of parts) {
		await file.write(end, part);
		end += part.length;
	}
	const found: Frame[] = [];
	for await (const one of walkFrames(file, { nonce: NONCE }, FRAMES_START, end)) found.push(one);
	return found;
}

const numbers = (frames: readonly Frame[]): readonly number[] => frames.map(({ number }) => number);

test('commits of an earlier use of the file are stepped over', async (t) => {
	t.deepEqual(numbers(await walk([frame(0, 'a'), frame(1, 'old', NONCE - 1), frame(2, 'b')])), [0, 2]);
});

test('what an attempt that failed left behind a shorter commit is no commit', async (t) => {
	t.deepEqual(numbers(await walk([frame(0, 'a'), frame(3, 'b'), frame(2, 'left'), frame(4, 'c')])), [0, 3, 4]);
});

test('a commit whose length was garbled costs only itself', async (t) => {
	const garbled = frame(1, 'b');
	garbled.writeUInt32LE(0xffff_fff0, 16);
	const found = await walk([frame(0, 'a'), garbled, frame(2, 'c')]);
	t.deepEqual(numbers(found), [0, 2]);
	t.is(found[1]?.body.toString(), 'c');
});

test('a commit larger than a piece is read whole', async (t) => {
	const large = 'x'.repeat(700_000);
	const found = await walk([frame(0, 'a'), frame(1, large), frame(2, 'c')]);
	t.deepEqual(numbers(found), [0, 1, 2]);
	t.is(found[1]?.body.length, large.length);
});

test('many commits are found across the borders of pieces', async (t) => {
	const parts = Array.from({ length: 300 }, (_, number) => frame(number, 'y'.repeat(5_000 + (number % 7))));
	t.deepEqual(numbers(await walk(parts)), [...parts.keys()]);
});
