import test from 'ava';

import { createLater } from '../../core/kernel/later.ts';
import { createRelay } from '../../core/kernel/relay.ts';

test('a part that is made later is not there before, and says who was asked for too early', (t) => {
	const later = createLater<{ readonly name: string }>('the broker');
	t.is(later.find(), null);
	t.throws(() => later.get(), { message: 'the broker is asked for before it is made' });
	const broker = { name: 'local' };
	later.set(broker);
	t.is(later.find(), broker);
	t.is(later.get(), broker);
});

test('news from before there was anybody to tell are told first, in order, and once', (t) => {
	const relay = createRelay<number>();
	const heard: (readonly number[])[] = [];
	relay.tell([1, 2]);
	relay.tell([3]);
	relay.attach((news) => heard.push(news));
	relay.tell([4]);
	t.deepEqual(heard, [[1, 2, 3], [4]]);
});
