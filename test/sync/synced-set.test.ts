import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { silentLog } from '../../core/kernel/log.ts';
import { createFollower, type RecordKind } from '../../core/sync/record-kind.ts';
import { openSyncedSet, type SyncedSet } from '../../core/sync/synced-set.ts';

interface Note {
	readonly id: string;
	readonly text: string;
}

const PEER = '9a000000-0000-4000-8000-000000000009';

function folderOf(t: ExecutionContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-synced-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	return join(folder, 'notes');
}

const open = (folder: string): Promise<SyncedSet<Note>> =>
	openSyncedSet<Note>({ folder, kind: 'note', log: silentLog, current: (saved) => saved });

const ids = (set: SyncedSet<Note>, after: number, limit = 10) =>
	set.feed.since(after, limit, ({ record }) => record.id);

const kindOf = ({ feed }: SyncedSet<Note>): RecordKind => ({
	name: 'alert',
	feed,
	changes: (after, limit, peer) => feed.since(after, limit, ({ record, source }) => (source === peer ? null : record)),
	take: async () => undefined,
	stored: async () => undefined,
});

test('the feed tells each record once, in the order of its last change, and goes on after a restart', async (t) => {
	const folder = folderOf(t);
	const first = await open(folder);
	await first.write([
		{ id: 'a', text: '1' },
		{ id: 'b', text: '1' },
	]);
	await first.write([{ id: 'a', text: '2' }]);
	t.deepEqual(ids(first, 0), { picked: ['b', 'a'], through: 3 });
	t.deepEqual(ids(first, 0, 1), { picked: ['b'], through: 2 });
	first.feed.positions.setAcked(PEER, 3);
	await first.write([], ['a']);
	const { id } = first.feed;
	await first.stop();

	const again = await open(folder);
	t.teardown(() => again.stop());
	t.is(again.feed.id, id);
	await again.write([{ id: 'c', text: '1' }]);
	t.deepEqual(ids(again, 3), { picked: ['c'], through: 4 }, 'a number that was acknowledged is never used again');
});

test('what is being written is not told of, and no position reaches beyond it', async (t) => {
	const set = await open(folderOf(t));
	t.teardown(() => set.stop());
	await set.write([{ id: 'a', text: '1' }]);
	const writing = set.write([{ id: 'b', text: '1' }]);
	t.deepEqual(ids(set, 0), { picked: ['a'], through: 1 });
	await writing;
	t.deepEqual(ids(set, 1), { picked: ['b'], through: 2 });
});

test('a follower begins at the lesser memory of both, and at the beginning in a feed that is another one', async (t) => {
	const set = await open(folderOf(t));
	t.teardown(() => set.stop());
	await set.write(['a', 'b', 'c'].map((id) => ({ id, text: '1' })));
	const { id: feed, positions } = set.feed;
	const next = (received: { readonly feed: string; readonly seq: number } | null) =>
		createFollower([kindOf(set)], PEER, { alert: received === null ? [] : [received] }).next()?.records.length ?? 0;
	t.is(next({ feed, seq: 3 }), 3, 'this box has no memory of having told anything');
	positions.setAcked(PEER, 2);
	t.is(next({ feed, seq: 3 }), 1);
	t.is(next({ feed, seq: 1 }), 2);
	t.is(next({ feed: PEER, seq: 3 }), 3);
	t.is(next(null), 3);
});

test('a box is not told what came from it', async (t) => {
	const set = await open(folderOf(t));
	t.teardown(() => set.stop());
	const record = { id: 'a', text: '1' };
	set.feed.cameFrom(record, PEER);
	await set.write([record, { id: 'b', text: '1' }]);
	const follower = createFollower([kindOf(set)], PEER, {});
	t.deepEqual(follower.next()?.records, [{ id: 'b', text: '1' }]);
	follower.taken({ kind: 'alert', through: 2 });
	t.is(follower.next(), null);
	t.is(set.feed.positions.acked(PEER), 2);
});
