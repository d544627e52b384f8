import test from 'ava';
import fc from 'fast-check';

import { createRetainedStore } from '../../core/mqtt/retained-store.ts';
import { isFilter, isTopic, matchesFilter } from '../../core/mqtt/topic.ts';
import { createTopicTree } from '../../core/mqtt/topic-tree.ts';

const BOUNDS = { topicLevels: 4, topicLength: 20 };

const level = fc.constantFrom('a', 'b', '', '$x');
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filter = fc
	.tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 3 }), fc.boolean())
	.map(([levels, all]) => [...levels, ...(all ? ['#'] : [])].join('/'));

test('the tree finds exactly the filters that match a topic, and the topics that a filter matches', (t) => {
	fc.assert(
		fc.property(fc.uniqueArray(filter), fc.uniqueArray(topic), (filters, topics) => {
			const byFilter = createTopicTree<string>();
			const byTopic = createTopicTree<string>();
			for (const one of filters) byFilter.set(one, one);
			for (const one of topics) byTopic.set(one, one);
			for (const one of topics)
				t.deepEqual(
					[...byFilter.matching(one)].toSorted(),
					filters.filter((any) => matchesFilter(any, one)).toSorted(),
				);
			for (const one of filters)
				t.deepEqual([...byTopic.below(one)].toSorted(), topics.filter((any) => matchesFilter(one, any)).toSorted());
		}),
	);
});

test('what was removed from the tree is gone, and its neighbours stay', (t) => {
	const tree = createTopicTree<number>();
	tree.set('a/b', 1);
	tree.set('a/b/c', 2);
	tree.set('a', 3);
	tree.delete('a/b');
	tree.delete('x/y');
	t.deepEqual([tree.get('a/b'), tree.get('a/b/c'), tree.get('a')], [undefined, 2, 3]);
	tree.delete('a/b/c');
	t.deepEqual([...tree.below('#')], [3]);
});

test('retained messages are bounded in number and bytes, and give their room back', (t) => {
	const store = createRetainedStore(2, 100);
	const put = (at: string, bytes: number): boolean =>
		store.put({
			cmd: 'publish',
			topic: at,
			payload: Buffer.alloc(bytes),
			qos: 0,
			dup: false,
			retain: true,
			brokerId: '',
			brokerCounter: 0,
		});
	t.true(put('a', 60));
	t.false(put('b', 50));
	t.true(put('b', 40));
	t.false(put('c', 1));
	t.true(put('a', 0));
	t.is(store.size, 1);
	t.true(put('c', 60));
	t.deepEqual(
		[...store.below('#')].map((packet) => packet.topic),
		['b', 'c'],
	);
});

test('the form of topics and filters is checked before anybody is asked', (t) => {
	const cases: readonly (readonly [string, boolean, boolean])[] = [
		['a/b', true, true],
		['', false, false],
		['a/b/c/d/e', false, false],
		['x'.repeat(21), false, false],
		['a\0b', false, false],
		['a\u001bb', false, false],
		['a\ufffdb', false, false],
		['$SYS/x', false, false],
		['$share/g/a', false, false],
		['a/+', false, true],
		['a/#', false, true],
		['#', false, true],
		['a+', false, false],
		['+a', false, false],
		['a/#/b', false, false],
		['a#', false, false],
		['/', true, true],
	];
	for (const [text, asTopic, asFilter] of cases) {
		t.is(isTopic(text, BOUNDS), asTopic, `topic ${text}`);
		t.is(isFilter(text, BOUNDS), asFilter, `filter ${text}`);
	}
});
