import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { Fault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { openAwaitedReceipts } from '../../gateway/bundle/awaited-receipts.ts';

function pathOf(t: ExecutionContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-receipts-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	return join(folder, 'receipts.json');
}

const refused = { instanceOf: Fault, message: /no receipt of this bundle is awaited/ };

test('a receipt counts for a bundle that has left, also after a restart, and again', async (t) => {
	const path = pathOf(t);
	const first = await openAwaitedReceipts(path, silentLog);
	await t.throwsAsync(first.take('a'), refused);
	await first.expect('a');
	const again = await openAwaitedReceipts(path, silentLog);
	await again.take('a');
	await again.take('a');
	t.pass();
});

test('an old receipt lets nothing go after a later one', async (t) => {
	const path = pathOf(t);
	const receipts = await openAwaitedReceipts(path, silentLog);
	await receipts.expect('a');
	await receipts.expect('b');
	await receipts.take('b');
	await t.throwsAsync(receipts.take('a'), refused);
	await t.throwsAsync((await openAwaitedReceipts(path, silentLog)).take('a'), refused);
});

for (const word of ['welcome', 'resend'] as const)
	test(`no receipt counts after the hub has spoken: ${word}`, async (t) => {
		const receipts = await openAwaitedReceipts(pathOf(t), silentLog);
		await receipts.expect('a');
		receipts.feature.hears[word]?.(new Uint8Array(0));
		await t.throwsAsync(receipts.take('a'), refused);
		await receipts.expect('b');
		await receipts.take('b');
	});

test('so many bundles may be on their way, and no more', async (t) => {
	const receipts = await openAwaitedReceipts(pathOf(t), silentLog);
	for (let bundle = 0; bundle < 40; bundle += 1) await receipts.expect(String(bundle));
	await t.throwsAsync(receipts.take('23'), refused);
	await receipts.take('24');
	t.pass();
});
