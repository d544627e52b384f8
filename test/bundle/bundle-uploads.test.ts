import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { openBundleUploads } from '../../cloud/bundle/bundle-uploads.ts';
import type { Actor } from '../../core/identity/role.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { tenantId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const of = (tenant: number, userId: string): Actor => ({
	...actorOfRole('admin', userId),
	tenantId: tenantId(`00000000-0000-4000-8000-00000000000${tenant}`),
});

async function uploadsOf(t: ExecutionContext) {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-uploads-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	const clock = createManualClock();
	const uploads = await openBundleUploads({
		folder,
		importBundle: async () => {
			throw new Fault('rule-violation', 'no bundle');
		},
		minFreeBytes: 0,
		clock,
		log: silentLog,
	});
	return { folder, clock, uploads };
}

const full = { instanceOf: Fault, message: /are being uploaded/ };

test('one tenant leaves room for the uploads of others', async (t) => {
	const { uploads } = await uploadsOf(t);
	for (let n = 0; n < 4; n += 1) await uploads.begin(of(1, `u${n}`));
	await t.throwsAsync(uploads.begin(of(1, 'u')), full);
	await uploads.begin(of(2, 'v'));
	t.pass();
});

test('an upload that nobody goes on with gives way, and one that goes on does not', async (t) => {
	const { uploads, clock, folder } = await uploadsOf(t);
	const [first, second] = [await uploads.begin(of(1, 'u')), await uploads.begin(of(1, 'u'))];
	for (const { id } of [first, second]) await uploads.add(id, of(1, 'u'), 0, Buffer.from('x'));
	for (let n = 0; n < 2; n += 1) await uploads.begin(of(1, 'w'));
	clock.advance(11 * 60_000);
	await uploads.add(first.id, of(1, 'u'), 1, Buffer.from('y'));
	await uploads.begin(of(1, 'u'));
	t.is(uploads.get(first.id, of(1, 'u')).receivedBytes, 2);
	t.throws(() => uploads.get(second.id, of(1, 'u')), { instanceOf: Fault, message: /does not exist/ });
	t.deepEqual(readdirSync(folder), [first.id]);
});

test('outcomes are not gathered without end', async (t) => {
	const { uploads } = await uploadsOf(t);
	const ids: string[] = [];
	for (let n = 0; n < 60; n += 1) {
		const { id } = await uploads.begin(of(1, 'u'));
		ids.push(id);
		await uploads.add(id, of(1, 'u'), 0, Buffer.from('x'));
		uploads.start(id, of(1, 'u'));
		await uploads.stop();
	}
	const known = ids.filter((id) => {
		try {
			return uploads.get(id, of(1, 'u')).state === 'refused';
		} catch {
			return false;
		}
	});
	t.true(known.length >= 32 && known.length <= 33, `${known.length} are known`);
	t.true(known.includes(ids.at(-1) ?? ''));
});

test('an upload of another person is none', async (t) => {
	const { uploads } = await uploadsOf(t);
	const { id } = await uploads.begin(of(1, 'u'));
	t.throws(() => uploads.get(id, of(1, 'v')), { instanceOf: Fault, message: /does not exist/ });
});
