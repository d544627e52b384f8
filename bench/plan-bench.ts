import type { TemplatePoint } from '../config/template/template.ts';
import { type LineCost, readCostMs, rtuCost, tcpCost } from '../gateway/driver/modbus/plan/line-cost.ts';
import { type AddressRange, planReads, type ReadRequest } from '../gateway/driver/modbus/plan/request-plan.ts';
import { modbusPoint } from '../test/fake/modbus-point.ts';
import { type Row, median, table } from './table.ts';

const POINTS = 5000;
const ROUNDS = 15;
/** A plan of 5 000 points takes at most this long, the first one of the process included. */
const MOST_MS = 50;
/** What masters merge over by default: nothing, or a fixed gap. */
const FIXED_GAPS = [0, 4, 10, 32] as const;

interface Layout {
	readonly name: string;
	readonly points: readonly TemplatePoint[];
	readonly holes: readonly AddressRange[];
}

const at = (index: number, address: number, more: Partial<TemplatePoint>): TemplatePoint =>
	modbusPoint({ key: `p${index}`, address, ...more });

/** The same numbers in each run. */
function scattered(): readonly number[] {
	let seed = 1;
	const found = new Set<number>();
	while (found.size < POINTS) {
		seed = (seed * 48_271) % 0x7fff_ffff;
		found.add(seed % 65_536);
	}
	return [...found];
}

const many = (of: (index: number) => TemplatePoint): readonly TemplatePoint[] =>
	Array.from({ length: POINTS }, (_, index) => of(index));

const layouts: readonly Layout[] = [
	{ name: 'each register', points: many((i) => at(i, i, {})), holes: [] },
	{ name: 'floats, every 6th', points: many((i) => at(i, 6 * i, { count: 2, type: 'float32' })), holes: [] },
	{ name: 'each coil', points: many((i) => at(i, i, { functionCode: 1, type: 'bool' })), holes: [] },
	{ name: 'scattered', points: scattered().map((address, i) => at(i, address, {})), holes: [] },
	{
		name: 'every 13th, 200 holes',
		points: many((i) => at(i, 13 * i, {})),
		holes: Array.from({ length: 200 }, (_, i) => ({ functionCode: 3, first: 325 * i + 5, last: 325 * i + 7 })),
	},
];

const lines: readonly (readonly [name: string, cost: LineCost])[] = [
	['rtu 9600', rtuCost(9600, 10, 15)],
	['rtu 115200', rtuCost(115_200, 10, 15)],
	['tcp', tcpCost(5)],
];

const lineMs = (requests: readonly Pick<ReadRequest, 'functionCode' | 'count'>[], cost: LineCost): number =>
	requests.reduce((sum, { functionCode, count }) => sum + readCostMs(functionCode, count, cost), 0);

/** Merged over gaps up to `gap`, in reads of at most 125 registers or 2000 bits. */
function fixedGapMs({ points, holes }: Layout, gap: number, cost: LineCost): number {
	const reads: { functionCode: ReadRequest['functionCode']; address: number; count: number }[] = [];
	const isHole = (from: number, to: number): boolean => holes.some(({ first, last }) => first < to && last >= from);
	for (const { address, count, functionCode } of points.toSorted((a, b) => a.address - b.address)) {
		const read = reads.at(-1);
		const end = read === undefined ? 0 : read.address + read.count;
		const grown = read === undefined ? 0 : address + count - read.address;
		const fits = grown <= (functionCode <= 2 ? 2000 : 125) && address - end <= gap && !isHole(end, address);
		if (read !== undefined && fits) read.count = Math.max(read.count, grown);
		else reads.push({ functionCode, address, count });
	}
	return lineMs(reads, cost);
}

/** How long a plan takes, and what it needs of the line beside merging over fixed gaps. */
export async function runPlanBench(): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	const rows: Row[] = [];
	let mostMs = 0;
	let isCheapest = true;
	for (const layout of layouts) {
		for (const [line, cost] of lines) {
			const took: number[] = [];
			let plan: readonly ReadRequest[] = [];
			for (let round = 0; round < ROUNDS; round += 1) {
				const startMs = performance.now();
				plan = planReads(layout.points, cost, { maxRegisters: 125, maxBits: 2000, holes: layout.holes });
				took.push(performance.now() - startMs);
			}
			const ownMs = lineMs(plan, cost);
			const gaps = FIXED_GAPS.map((gap) => fixedGapMs(layout, gap, cost));
			mostMs = Math.max(mostMs, median(took));
			isCheapest &&= gaps.every((ms) => ownMs <= ms + 1e-6);
			rows.push({
				map: layout.name,
				line,
				'first ms': took[0] ?? 0,
				'ms p50': median(took),
				requests: plan.length,
				'line s': ownMs / 1000,
				...Object.fromEntries(gaps.map((ms, i) => [`gap ${FIXED_GAPS[i]} s`, ms / 1000])),
			});
			await new Promise(setImmediate);
		}
	}
	return { report: table(rows), isWithinLimits: mostMs <= MOST_MS && isCheapest };
}
