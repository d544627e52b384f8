import test from 'ava';

import type { FileJournal } from '../../core/journal/file-journal.ts';
import type { FileLayer } from '../../core/journal/file-layer.ts';
import { FRAMES_START, SUMMARY_START } from '../../core/journal/segment-format.ts';
import { everyEighth, journalBench, SEGMENT_BYTES, segmentPath } from '../fake/journal-bench.ts';
import { sequenceOf } from '../fake/sample-readings.ts';

const COMMITS = 120;

/** Counts the bytes that are read of each file. */
function countReads(files: FileLayer): { readonly counted: FileLayer; readonly bytesOf: (path: string) => number } {
	const bytes = new Map<string, number>();
	const counted: FileLayer = {
		...files,
		async open(path) {
			const file = await files.open(path);
			return {
				...file,
				async read(position, length) {
					const piece = await file.read(position, length);
					bytes.set(path, (bytes.get(path) ?? 0) + piece.length);
					return piece;
				},
			};
		},
	};
	return { counted, bytesOf: (path) => bytes.get(path) ?? 0 };
}

/** A stopped journal of some segments, reopened after `change`: what was read of its second segment, and what it has. */
async function reopenAfter(change: (contentOf: (segment: number) => Buffer) => void) {
	const { files, open, fill } = journalBench();
	const journal = await open();
	await fill(journal, COMMITS);
	const heldBefore = journal.held();
	await journal.stop();
	change((segment) => files.content(segmentPath(segment)));
	const { counted, bytesOf } = countReads(files);
	const reopened = await open({ files: counted });
	const readBytes = bytesOf(segmentPath(2));
	return {
		readBytes,
		heldBefore,
		held: reopened.held(),
		sequence: await sequenceOf(reopened),
		losses: reopened.stats().losses,
	};
}

test('a start reads no commit of a closed segment', async (t) => {
	const { readBytes, heldBefore, held, sequence } = await reopenAfter(() => undefined);
	t.true(readBytes > 0 && readBytes <= FRAMES_START, `${readBytes} bytes`);
	t.deepEqual(held, heldBefore);
	t.deepEqual(sequence, everyEighth(COMMITS));
});

const unusable: Readonly<Record<string, (contentOf: (segment: number) => Buffer) => void>> = {
	missing: (contentOf) => void contentOf(2).fill(0, SUMMARY_START, FRAMES_START),
	'corrupt in its body': (contentOf) => {
		const content = contentOf(2);
		content[SUMMARY_START + 12] = (content[SUMMARY_START + 12] ?? 0) ^ 1;
	},
	'longer than its room': (contentOf) => void contentOf(2).writeUInt32LE(0xffff_ffff, SUMMARY_START),
	'that of another segment': (contentOf) =>
		void contentOf(1).copy(contentOf(2), SUMMARY_START, SUMMARY_START, FRAMES_START),
};

for (const [what, change] of Object.entries(unusable)) {
	test(`a segment whose summary is ${what} is read through, and nothing of it is lost`, async (t) => {
		const { readBytes, heldBefore, held, sequence, losses } = await reopenAfter(change);
		t.true(readBytes > SEGMENT_BYTES - 256, `${readBytes} bytes`);
		t.deepEqual(held, heldBefore);
		t.deepEqual(sequence, everyEighth(COMMITS));
		t.deepEqual(losses, []);
	});
}

/** Frees every segment before the newest, and waits until their files are free. */
async function freeClosed(journal: FileJournal): Promise<void> {
	journal.hold('uplink', journal.end());
	await journal.closeSegment();
}

test('a recycled file does not speak for its earlier use', async (t) => {
	const { open, fill } = journalBench();
	const journal = await open({ holders: ['uplink'] });
	await fill(journal, COMMITS);
	await freeClosed(journal);
	const { bytes } = journal.stats();
	await fill(journal, 20, COMMITS * 8 + 1);
	t.true(journal.stats().bytes <= bytes, 'the file of a freed segment serves again');
	// As after a power cut: the newest segment has no summary, and its file had one in an earlier use.
	const reopened = await open();
	t.deepEqual((await sequenceOf(reopened)).slice(-20), everyEighth(20, COMMITS * 8 + 1));
	t.deepEqual(reopened.held(), journal.held());
	t.deepEqual(reopened.stats().losses, []);
});

test('a number that serves again, because its segment stayed empty, gets a summary of its own', async (t) => {
	const { files, open, fill } = journalBench();
	await (await open()).stop();
	const second = await open();
	await fill(second, 10);
	await second.stop();
	const { counted, bytesOf } = countReads(files);
	const third = await open({ files: counted });
	t.true(bytesOf(segmentPath(1)) <= FRAMES_START + 512, `${bytesOf(segmentPath(1))} bytes`);
	t.deepEqual(await sequenceOf(third), everyEighth(10));
	t.is(second.oldest().segment, 1);
});
