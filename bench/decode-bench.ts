import type { DeviceTemplate, TemplatePoint } from '../config/template/template.ts';
import { createDeviceReader } from '../gateway/driver/modbus/codec/device-reader.ts';
import { modbusPoint } from '../test/fake/modbus-point.ts';
import { median, type Row, table } from './table.ts';

const ROUNDS = 9;
const ANSWERS = 4_000;
const ANSWER_BYTES = 200;
/** Plain floats, which most meters have, may cost so many times a loop that only reads them; any other type this many µs. */
const MOST_TIMES_BARE = 3;
const MOST_US = 0.5;

interface Case {
	readonly name: string;
	/** Values in one answer. */
	readonly values: number;
	/** Decodes and judges one answer. */
	readonly take: (atMs: number) => unknown;
	readonly measuredUs: number[];
}

/** 230.0 as float32, over and over: plausible as a voltage, a counter and a register. */
const answer = Buffer.from('43660000'.repeat(ANSWER_BYTES / 4), 'hex');

function bareCase(): Case {
	const values = ANSWER_BYTES / 4;
	return {
		name: 'bare loop over readFloatBE',
		values,
		take: () => Array.from({ length: values }, (_, index) => answer.readFloatBE(4 * index)),
		measuredUs: [],
	};
}

/** As many points of this kind as one answer holds. */
function caseOf(name: string, over: Partial<TemplatePoint>): Case {
	const registers = over.count ?? 1;
	const points = Array.from({ length: ANSWER_BYTES / 2 / registers }, (_, index) =>
		modbusPoint({ key: `point_${index}`, ...over, address: registers * index }),
	);
	const factor = modbusPoint({ key: 'factor', type: 'int16', address: 1 });
	const known = over.scaleFactor === undefined ? points : [...points, factor];
	const request = {
		functionCode: 3 as const,
		address: 0,
		count: ANSWER_BYTES / 2,
		points: known,
		keys: known.map(({ key }) => key),
	};
	const template: Pick<DeviceTemplate, 'points'> = { points: known };
	const reader = createDeviceReader(template, () => undefined);
	return { name, values: known.length, take: (atMs) => reader.read(request, answer, atMs), measuredUs: [] };
}

/** What it costs to give the registers of an answer their meaning, judgement included; the cases take turns. */
export async function runDecodeBench(): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	const cases = [
		bareCase(),
		caseOf('float32', { type: 'float32', byteOrder: 'ABCD', count: 2, min: 0, max: 500 }),
		caseOf('float32, words swapped', { type: 'float32', byteOrder: 'CDAB', count: 2 }),
		caseOf('uint16, scale 0.1', { type: 'uint16', scale: 0.1, max: 65_535 }),
		caseOf('int32, two patterns', { type: 'int32', byteOrder: 'ABCD', count: 2, invalid: ['80000000', '7FFFFFFF'] }),
		caseOf('uint32 counter, judged', { type: 'uint32', byteOrder: 'ABCD', count: 2, kind: 'counter', scale: 0.01 }),
		caseOf('uint64', { type: 'uint64', byteOrder: 'ABCDEFGH', count: 4 }),
		caseOf('uint16, max step, judged', { type: 'uint16', maxStep: 5 }),
		caseOf('uint16, scale factor', { type: 'uint16', scaleFactor: 'factor' }),
		caseOf('uint16, slice', { type: 'uint16', slice: { first: 4, count: 4 } }),
		caseOf('bit', { type: 'bit', bit: 3 }),
		caseOf('bcd32', { type: 'bcd32', byteOrder: 'ABCD', count: 2 }),
		caseOf('string of 16', { type: 'string', count: 8 }),
	];
	let atMs = 0;
	for (let round = 0; round < ROUNDS; round += 1)
		for (const { take, values, measuredUs } of cases) {
			// Processor time, so that what else the machine does counts less.
			const before = process.cpuUsage();
			for (let count = 0; count < ANSWERS; count += 1) take((atMs += 1_000));
			measuredUs.push(process.cpuUsage(before).user / ANSWERS / values);
		}
	const [bare = Number.NaN, floats = Number.NaN, ...others] = cases.map(({ measuredUs }) => median(measuredUs));
	const rows: Row[] = cases.map(({ name, measuredUs }) => ({
		'a value': name,
		'cpu µs p50': median(measuredUs).toFixed(3),
		'best to worst': `${Math.min(...measuredUs).toFixed(3)} to ${Math.max(...measuredUs).toFixed(3)}`,
		'× bare': (median(measuredUs) / bare).toFixed(1),
	}));
	const isWithinLimits = floats <= MOST_TIMES_BARE * bare && others.every((us) => us <= MOST_US);
	return { report: table(rows), isWithinLimits };
}
