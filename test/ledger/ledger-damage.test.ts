import test from 'ava';

import { openLedger } from '../../core/ledger/ledger-store.ts';
import { readRecordLines, recordLine } from '../../core/ledger/record-lines.ts';
import { type Logger, silentLog } from '../../core/kernel/log.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { journalBench } from '../fake/journal-bench.ts';
import { createPowerCutFiles } from '../fake/power-cut-files.ts';
import { createRandom } from '../system/kit/random.ts';
import { ORIGIN, readingOf } from '../fake/sample-readings.ts';

const FOLDER = '/ledger';
const EPOCH = 1;

function ledgerBench() {
	const files = createPowerCutFiles();
	const events: string[] = [];
	const note = (event: string): void => void events.push(event);
	const log: Logger = { ...silentLog, warn: note, error: note, child: () => log };
	const { open: openJournal, fill, timer } = journalBench(files);
	const open = async (sealed: readonly Reading[] = []) => {
		const journal = await openJournal();
		const file = await openLedger({ folder: FOLDER, journal, files, log, sealed: async (tell) => tell(sealed) });
		return { journal, ...file };
	};
	return { files, events, open, fill, timer };
}

const loss = (first: number, last: number) =>
	({ origin: ORIGIN, epoch: EPOCH, first, last, reason: 'disk-full' }) as const;

test('what was declared and saved is there after a power cut, whatever else was under way', async (t) => {
	for (let seed = 1; seed <= 40; seed += 1) {
		const { files, open, events } = ledgerBench();
		const file = await open();
		const { ledger } = file;
		const numbers = createRandom(seed);
		const random = (): number => numbers.below(1);
		let saved = 0;
		for (let index = 1; index <= 6; index += 1) {
			ledger.declare(loss(index * 10, index * 10 + 1));
			if (random() < 0.3) await file.compact();
			await file.save();
			saved = index;
		}
		// Begun, and not finished when the power goes.
		ledger.declare(loss(1_000, 1_001));
		const last = Promise.allSettled([file.save(), file.compact()]);
		files.cut(random);
		await last;
		const again = await open();
		const found = again.ledger.completeness(ORIGIN).declaredLostSamples;
		t.true(found === saved * 2 || found === saved * 2 + 2, `seed ${seed}: ${found}`);
		t.false(events.includes('ledger-damaged'), `seed ${seed}`);
	}
});

test('a damaged line of the snapshot costs what it said, and the journal and the history are asked', async (t) => {
	const { files, open, events, fill } = ledgerBench();
	const first = await open();
	await fill(first.journal, 4);
	await first.compact();
	await first.stop();
	await first.journal.stop();
	const snapshot = files.content(`${FOLDER}/snapshot`);
	snapshot.writeUInt8(snapshot.readUInt8(snapshot.length - 60) ^ 1, snapshot.length - 60);
	const sealed = [readingOf(101, { epoch: 77 })];
	const again = await open(sealed);
	t.true(events.includes('ledger-damaged') && events.includes('ledger-rebuilt'), events.join());
	t.is(again.ledger.completeness(ORIGIN).receivedSamples, 4 * 8 + 8);
	await again.stop();
	await again.journal.stop();
});

test('a ledger that is gone altogether is rebuilt from the journal and the sealed history', async (t) => {
	const { files, open, fill, events } = ledgerBench();
	const first = await open();
	await fill(first.journal, 3);
	await first.stop();
	await first.journal.stop();
	for (const { name } of await files.list(FOLDER)) await files.remove(`${FOLDER}/${name}`);
	const again = await open([readingOf(1, { epoch: 70 })]);
	t.is(again.ledger.completeness(ORIGIN).receivedSamples, 3 * 8 + 8);
	t.true(events.includes('ledger-rebuilt'));
	await again.stop();
	await again.journal.stop();
});

test('what was lost here stays owed after a restart', async (t) => {
	const { open, fill } = ledgerBench();
	const first = await open();
	await fill(first.journal, 2);
	const { epoch } = first.journal;
	await first.compact();
	t.is(first.ledger.forget({ origin: ORIGIN, epoch, first: 3, last: 5 }), 3);
	await first.save();
	await first.journal.stop();
	const again = await open();
	t.is(again.ledger.completeness(ORIGIN).missingSamples, 3);
	await again.stop();
	await again.journal.stop();
});

test('a full disk keeps neither the ledger from opening nor later changes from being written', async (t) => {
	const { files, open } = ledgerBench();
	files.fail('ENOSPC', ['create', 'write', 'datasync']);
	const file = await open();
	const { ledger, journal } = file;
	ledger.declare(loss(1, 2));
	await t.throwsAsync(file.save());
	files.fail(null);
	await file.save();
	await journal.stop();
	const again = await open();
	t.is(again.ledger.completeness(ORIGIN).declaredLostSamples, 2);
	await again.stop();
	await file.stop();
});

test('times are known after a restart', async (t) => {
	const { open, fill } = ledgerBench();
	const first = await open();
	await fill(first.journal, 3);
	const { epoch } = first.journal;
	const before = first.ledger.spans(ORIGIN);
	t.is(before.length, 1);
	await first.stop();
	await first.journal.stop();
	const again = await open();
	t.deepEqual(again.ledger.spans(ORIGIN), before);
	t.not(again.ledger.around({ origin: ORIGIN, epoch, first: 2, last: 3 }), null);
	await again.stop();
	await again.journal.stop();
});

test('a damaged line costs itself and no other', (t) => {
	const text = [1, 2, 3].map((number) => recordLine({ number })).join('');
	const damaged = text.replace('"number":2', '"number":9');
	t.deepEqual(readRecordLines(damaged), { records: [{ number: 1 }, { number: 3 }], damagedLines: 1 });
	t.deepEqual(readRecordLines(text.slice(0, -4)), { records: [{ number: 1 }, { number: 2 }], damagedLines: 1 });
});
