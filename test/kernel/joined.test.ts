import test from 'ava';

import { createJoined } from '../../core/kernel/joined.ts';

/** Work whose runs end when they are told to. */
function steps() {
	const ends: { readonly done: (value: string) => void; readonly fail: (error: Error) => void }[] = [];
	const ask = createJoined(
		() => new Promise<string>((resolve, reject) => void ends.push({ done: resolve, fail: reject })),
	);
	return { ask, ends };
}

test('who asks while a run is under way shares the one behind it', async (t) => {
	const { ask, ends } = steps();
	const first = ask();
	const others = [ask(), ask(), ask()];
	t.is(ends.length, 1);
	ends[0]?.done('before');
	t.is(await first, 'before');
	await Promise.resolve();
	t.is(ends.length, 2);
	const late = ask();
	ends[1]?.done('after');
	t.deepEqual(await Promise.all(others), ['after', 'after', 'after']);
	await Promise.resolve();
	t.is(ends.length, 3, 'who asked during the second run has the third');
	ends[2]?.done('later');
	t.is(await late, 'later');
});

test('a run that fails tells its own callers only, and the next begins', async (t) => {
	const { ask, ends } = steps();
	const first = ask();
	const second = ask();
	ends[0]?.fail(new Error('no'));
	await t.throwsAsync(first, { message: 'no' });
	ends[1]?.done('yes');
	t.is(await second, 'yes');
	const third = ask();
	t.is(ends.length, 3, 'nothing is under way any more');
	ends[2]?.done('again');
	t.is(await third, 'again');
});
