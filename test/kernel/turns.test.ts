import test from 'ava';

import { createTurns } from '../../core/kernel/turns.ts';

function heldWork() {
	const events: string[] = [];
	const ends = new Map<string, () => void>();
	const work = (name: string) => async (): Promise<string> => {
		events.push(`${name} begins`);
		await new Promise<void>((resolve) => void ends.set(name, resolve));
		events.push(`${name} ends`);
		return name;
	};
	/** Begun work waits until it is told to end. */
	const end = (name: string): void => ends.get(name)?.();
	return { events, work, end };
}

/** Lets everything run that is ready to. */
const turnOfTheLoop = (): Promise<void> =>
	new Promise((resolve) => {
		setImmediate(resolve);
	});

test('work begins when all that came before is over, and each caller has its own result', async (t) => {
	const { run } = createTurns();
	const { events, work, end } = heldWork();
	const results = Promise.all([run(work('one')), run(work('two'))]);
	await turnOfTheLoop();
	t.deepEqual(events, ['one begins']);
	end('one');
	await turnOfTheLoop();
	t.deepEqual(events, ['one begins', 'one ends', 'two begins']);
	end('two');
	t.deepEqual(await results, ['one', 'two']);
});

test('work that fails tells its caller alone, and the next has its turn', async (t) => {
	const { run, settled } = createTurns();
	const failed = run(() => Promise.reject(new Error('disk on fire')));
	const next = run(() => Promise.resolve('done'));
	await t.throwsAsync(failed, { message: 'disk on fire' });
	t.is(await next, 'done');
	await t.notThrowsAsync(settled());
});

test('turns are settled when the last of them is over', async (t) => {
	const { run, settled } = createTurns();
	const { events, work, end } = heldWork();
	void run(work('one'));
	const over = settled().then(() => events.push('settled'));
	await turnOfTheLoop();
	end('one');
	await over;
	t.deepEqual(events, ['one begins', 'one ends', 'settled']);
});
