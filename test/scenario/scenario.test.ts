import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { parseCapture } from '../../gateway/diagnose/capture.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusLine } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createReplay } from '../../gateway/simulator/replay.ts';
import type { FramingName } from '../../gateway/simulator/slave-framing.ts';
import { draftExpectation } from './draft/draft-expectation.ts';
import type { Expectation, ExpectedRead } from './expectation.ts';
import { openLineTo, placeResponder } from './scenario-line.ts';

const FOLDER = join(process.cwd(), 'test', 'scenario');

async function outcomeOf(line: ModbusLine, read: ExpectedRead): Promise<string> {
	const { unit: unitId, function: functionCode, address, count, timeout_ms: timeoutMs } = read;
	try {
		return (await line.transact({ unitId, functionCode, address, count, timeoutMs })).data.toString('hex');
	} catch (fault) {
		if (!(fault instanceof ModbusFault)) throw fault;
		return fault.exceptionCode === null ? fault.failure : `${fault.failure} ${fault.exceptionCode}`;
	}
}

const names = readdirSync(FOLDER, { withFileTypes: true })
	.filter((entry) => entry.isDirectory() && existsSync(join(FOLDER, entry.name, 'capture.jsonl')))
	.map(({ name }) => name);

test('there are scenarios', (t) => {
	t.true(names.length >= 6);
});

for (const name of names) {
	const read = (file: string): string => readFileSync(join(FOLDER, name, file), 'utf8');

	// One after the other: a process that is busy with the others would wait longer for an answer, and take a late one.
	test.serial(`scenario ${name} ends as it must`, async (t) => {
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the file lies beside this one
		const { story, reads, counters } = JSON.parse(read('expect.json')) as Expectation;
		t.true(story.length > 0);
		const capture = parseCapture(read('capture.jsonl'));
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a replay refuses other framings
		const framing = capture.framing as FramingName;
		const { line, meter } = await openLineTo(t, framing, createReplay(capture, placeResponder()));
		for (const [index, expected] of reads.entries()) {
			const outcome = await outcomeOf(line, expected);
			const where = `read ${index} of ${expected.address}: ${outcome}`;
			const isFailure = /^[a-z]+( \d+)?$/.test(outcome) && !/^[0-9a-f]+$/.test(outcome);
			if (expected.may_fail === true && isFailure) continue;
			t.is(outcome, expected.data ?? expected.failure ?? '', where);
		}
		if (counters !== undefined) t.like(meter.counters, counters);
	});
}

const draft = (name: string): readonly ExpectedRead[] =>
	draftExpectation(parseCapture(readFileSync(join(FOLDER, name, 'capture.jsonl'), 'utf8'))).reads;

test('the beginning of an expectation is made of a capture', (t) => {
	t.deepEqual(
		draft('refused-middle').map(({ address, data, failure }) => [address, data?.length ?? failure]),
		[
			[0, 64],
			[16, 'exception 2'],
			[32, 64],
		],
	);
	t.deepEqual(
		draft('flipped-bit').map(({ failure }) => failure ?? 'data'),
		['corrupt', 'data'],
	);
	t.deepEqual(draft('ascii-small-letters')[0], {
		unit: 1,
		function: 3,
		address: 0,
		count: 2,
		timeout_ms: 300,
		data: '01000101',
	});
});
