import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import type { ReadFunction } from '../../config/template/template.ts';
import { parseCapture } from '../../gateway/diagnose/capture.ts';
import type { LineCounters } from '../../gateway/driver/line-meter.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusLine } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createReplay } from '../../gateway/simulator/replay.ts';
import type { FramingName } from '../../gateway/simulator/slave-framing.ts';
import { openLineTo, placeResponder } from './scenario-line.ts';

/** One read of a scenario and what must become of it. */
interface ExpectedRead {
	readonly unit: number;
	readonly function: ReadFunction;
	readonly address: number;
	readonly count: number;
	readonly timeout_ms: number;
	/** The data, hex. */
	readonly data?: string;
	/** Kind of the failure, with the code of an exception: `timeout`, `corrupt`, `unproven`, `exception 2`. */
	readonly failure?: string;
	/** With `data`: a failure is right too, other data is not. */
	readonly may_fail?: boolean;
}

interface Expectation {
	/** What happened in the field, and to whom. */
	readonly story: string;
	readonly reads: readonly ExpectedRead[];
	/** Counters of the line afterwards, in the words of the program. */
	readonly counters?: Partial<LineCounters>;
}

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
	.filter((entry) => entry.isDirectory() && entry.name !== 'fuzz')
	.map(({ name }) => name);

test('there are scenarios', (t) => {
	t.true(names.length >= 6);
});

for (const name of names) {
	const read = (file: string): string => readFileSync(join(FOLDER, name, file), 'utf8');

	test(`scenario ${name} ends as it must`, async (t) => {
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the file lies beside this one
		const { story, reads, counters = {} } = JSON.parse(read('expect.json')) as Expectation;
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
		t.like(meter.counters, counters);
	});
}
