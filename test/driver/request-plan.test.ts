import test from 'ava';
import fc from 'fast-check';

import type { ReadFunction, TemplatePoint } from '../../config/template/template.ts';
import { type LineCost, readCostMs, rtuCost, tcpCost } from '../../gateway/driver/modbus/plan/line-cost.ts';
import {
	type PlanLimits,
	planReads,
	type AddressRange,
	type ReadRequest,
	unreadablePoints,
} from '../../gateway/driver/modbus/plan/request-plan.ts';
import { modbusPoint } from '../fake/modbus-point.ts';

const noLimits: PlanLimits = { maxRegisters: 125, maxBits: 2000, holes: [] };

/** Points of one register at each address. */
const registersAt = (addresses: readonly number[], over: Partial<TemplatePoint> = {}): readonly TemplatePoint[] =>
	addresses.map((address) => modbusPoint({ key: `r${address}`, address, ...over }));

const shape = (requests: readonly ReadRequest[]): readonly string[] =>
	requests.map(({ functionCode, address, count }) => `${functionCode}:${address}+${count}`);

const totalMs = (requests: readonly ReadRequest[], cost: LineCost): number =>
	requests.reduce((sum, { functionCode, count }) => sum + readCostMs(functionCode, count, cost), 0);

interface BreakEven {
	readonly baudRate: number;
	readonly bitsPerChar: number;
	readonly turnaroundMs: number;
	/** Unused registers that cost about as much as a request. */
	readonly registers: number;
	/** 40 floats one by one, and as one read of 80 registers. */
	readonly singlyMs: number;
	readonly mergedMs: number;
}

const lines: readonly BreakEven[] = [
	{ baudRate: 9600, bitsPerChar: 10, turnaroundMs: 15, registers: 17, singlyMs: 1600, mergedMs: 202 },
	{ baudRate: 9600, bitsPerChar: 10, turnaroundMs: 50, registers: 34, singlyMs: 3000, mergedMs: 238 },
	{ baudRate: 19_200, bitsPerChar: 11, turnaroundMs: 15, registers: 23, singlyMs: 1150, mergedMs: 118 },
	{ baudRate: 115_200, bitsPerChar: 10, turnaroundMs: 15, registers: 113, singlyMs: 799, mergedMs: 34 },
];

test('the cost of an RTU line follows from its speed, its character and the turnaround', (t) => {
	for (const { baudRate, bitsPerChar, turnaroundMs, registers, singlyMs, mergedMs } of lines) {
		const cost = rtuCost(baudRate, bitsPerChar, turnaroundMs);
		t.is(Math.floor(cost.requestMs / cost.registerMs), registers, `${baudRate}/${turnaroundMs}`);
		t.true(Math.abs(40 * readCostMs(3, 2, cost) - singlyMs) < singlyMs / 100);
		t.true(Math.abs(readCostMs(3, 80, cost) - mergedMs) < 1);
	}
});

test('a gap is read over exactly as long as that is cheaper than a request', (t) => {
	const cost = rtuCost(9600, 10, 15);
	t.deepEqual(shape(planReads(registersAt([0, 18]), cost, noLimits)), ['3:0+19']);
	t.deepEqual(shape(planReads(registersAt([0, 19]), cost, noLimits)), ['3:0+1', '3:19+1']);
});

test('on TCP everything within one read is one read', (t) => {
	t.deepEqual(shape(planReads(registersAt([0, 124]), tcpCost(0.01), noLimits)), ['3:0+125']);
	t.deepEqual(shape(planReads(registersAt([0, 125]), tcpCost(20), noLimits)), ['3:0+1', '3:125+1']);
});

test('the cap of the device and the cap of the specification both hold', (t) => {
	const addresses = Array.from({ length: 130 }, (_, address) => address);
	const counts = (maxRegisters: number) =>
		planReads(registersAt(addresses), tcpCost(5), { ...noLimits, maxRegisters }).map(({ count }) => count);
	t.is(counts(1000).length, 2);
	t.true(counts(1000).every((count) => count <= 125));
	t.is(counts(80).length, 2);
	t.true(counts(80).every((count) => count <= 80));
	const coils = Array.from({ length: 2001 }, (_, address) => address);
	const bits = planReads(registersAt(coils, { functionCode: 1, type: 'bool' }), tcpCost(5), {
		...noLimits,
		maxBits: 9999,
	});
	t.is(bits.length, 2);
});

test('a read never touches a hole of its function, and a point in one is named as unreadable', (t) => {
	const limits = { ...noLimits, holes: [{ functionCode: 3, first: 5, last: 6 }] } as const;
	const points = registersAt([0, 4, 6, 7]);
	t.deepEqual(shape(planReads(points, tcpCost(5), limits)), ['3:0+5', '3:7+1']);
	t.deepEqual(
		unreadablePoints(points, limits).map(({ key }) => key),
		['r6'],
	);
	const inputs = registersAt([0, 9], { functionCode: 4 });
	t.deepEqual(shape(planReads(inputs, tcpCost(5), limits)), ['4:0+10']);
});

test('functions are never mixed and write-only points are not read', (t) => {
	const points = [
		modbusPoint({ key: 'a', functionCode: 4, address: 1 }),
		modbusPoint({ key: 'b', functionCode: 3, address: 1 }),
		modbusPoint({ key: 'c', functionCode: 3, address: 2, access: 'w' }),
		modbusPoint({ key: 'd', functionCode: 1, address: 1, type: 'bool' }),
	];
	const plan = planReads(points, tcpCost(5), noLimits);
	t.deepEqual(shape(plan), ['1:1+1', '3:1+1', '4:1+1']);
	t.deepEqual(
		unreadablePoints(points, noLimits).map(({ key }) => key),
		['c'],
	);
	t.deepEqual(planReads([], tcpCost(5), noLimits), []);
});

/** Points of mixed sizes without overlap, given by gap and size. */
function layOut(
	functionCode: ReadFunction,
	layout: readonly { readonly gap: number; readonly count: number }[],
): TemplatePoint[] {
	let address = 0;
	return layout.map(({ gap, count }, index) => {
		const point = modbusPoint({ key: `f${functionCode}_${index}`, functionCode, address: address + gap, count });
		address += gap + count;
		return point;
	});
}

const layout = (maxLength: number) =>
	fc.array(fc.record({ gap: fc.integer({ min: 0, max: 60 }), count: fc.integer({ min: 1, max: 8 }) }), { maxLength });
const anyCost = fc.oneof(
	fc
		.tuple(fc.constantFrom(1200, 9600, 19_200, 115_200), fc.constantFrom(10, 11), fc.integer({ min: 0, max: 100 }))
		.map(([baudRate, bitsPerChar, turnaroundMs]) => rtuCost(baudRate, bitsPerChar, turnaroundMs)),
	fc.integer({ min: 0, max: 100 }).map(tcpCost),
);
const anyHoles = fc.array(
	fc
		.record({
			functionCode: fc.constantFrom<ReadFunction>(3, 4),
			first: fc.integer({ min: 0, max: 400 }),
			length: fc.integer({ min: 1, max: 20 }),
		})
		.map(({ functionCode, first, length }): AddressRange => ({ functionCode, first, last: first + length - 1 })),
	{ maxLength: 4 },
);
const anyLimits = fc.record({
	maxRegisters: fc.integer({ min: 8, max: 200 }),
	maxBits: fc.integer({ min: 8, max: 3000 }),
	holes: anyHoles,
});
const anyPoints = (maxLength: number) =>
	fc
		.tuple(layout(maxLength), layout(maxLength))
		.map(([inputs, holdings]) => layOut(4, inputs).concat(layOut(3, holdings)));

const sortedKeys = (points: readonly TemplatePoint[]): readonly string[] => points.map(({ key }) => key).toSorted();

const covers = (request: ReadRequest, { first, last, functionCode }: AddressRange): boolean =>
	functionCode === request.functionCode && first < request.address + request.count && last >= request.address;

test('every readable point is whole in exactly one request, no cap is exceeded and no hole touched', (t) => {
	fc.assert(
		fc.property(anyPoints(40), anyCost, anyLimits, (points, cost, limits) => {
			const plan = planReads(points, cost, limits);
			const planned = plan.flatMap((request) => request.points);
			const left = unreadablePoints(points, limits);
			t.deepEqual(sortedKeys(planned.concat(left)), sortedKeys(points));
			for (const request of plan) {
				t.true(request.count <= Math.min(limits.maxRegisters, 125));
				t.false(limits.holes.some((hole) => covers(request, hole)));
				t.deepEqual(
					request.keys,
					request.points.map(({ key }) => key),
				);
				for (const { functionCode, address, count } of request.points) {
					t.is(functionCode, request.functionCode);
					t.true(address >= request.address && address + count <= request.address + request.count);
				}
			}
		}),
		{ numRuns: 200 },
	);
});

test('the order of the points makes no difference', (t) => {
	const shuffled = anyPoints(30).chain((points) =>
		fc.tuple(fc.constant(points), fc.shuffledSubarray(points, { minLength: points.length, maxLength: points.length })),
	);
	fc.assert(
		fc.property(shuffled, anyCost, anyLimits, ([points, mixed], cost, limits) => {
			t.deepEqual(planReads(mixed, cost, limits), planReads(points, cost, limits));
		}),
	);
});

/** The cheapest of all 2^(n-1) ways to cut the sorted points into requests; `null` when a cut is not allowed. */
function bruteForceMs(points: readonly TemplatePoint[], cost: LineCost, limits: PlanLimits): number {
	let best = Number.POSITIVE_INFINITY;
	for (let cuts = 0; cuts < 2 ** Math.max(points.length - 1, 0); cuts++) {
		const groups: TemplatePoint[][] = [];
		for (const [index, point] of points.entries()) {
			const isCut = index === 0 || ((cuts >> (index - 1)) & 1) === 1;
			if (isCut) groups.push([point]);
			else groups.at(-1)?.push(point);
		}
		best = Math.min(
			best,
			groups.reduce((sum, group) => sum + groupMs(group, cost, limits), 0),
		);
	}
	return best;
}

function groupMs(group: readonly TemplatePoint[], cost: LineCost, limits: PlanLimits): number {
	const address = Math.min(...group.map((point) => point.address));
	const count = Math.max(...group.map((point) => point.address + point.count)) - address;
	const request: ReadRequest = { functionCode: 3, address, count, points: group, keys: [] };
	const isAllowed = count <= Math.min(limits.maxRegisters, 125) && !limits.holes.some((hole) => covers(request, hole));
	return isAllowed ? readCostMs(3, count, cost) : Number.POSITIVE_INFINITY;
}

test('no other cut of the points is cheaper', (t) => {
	fc.assert(
		fc.property(layout(9), anyCost, anyLimits, (gaps, cost, limits) => {
			const points = layOut(3, gaps);
			const left = new Set(unreadablePoints(points, limits));
			const readable = points.filter((point) => !left.has(point));
			const best = bruteForceMs(readable, cost, limits);
			t.true(Math.abs(totalMs(planReads(points, cost, limits), cost) - best) < 1e-6);
		}),
		{ numRuns: 200 },
	);
});

/** The cheapest of all ways to share the points out among requests, in any order. */
function sharedOutMs(points: readonly TemplatePoint[], cost: LineCost, limits: PlanLimits): number {
	const rest = points.slice(1);
	const first = points[0];
	if (first === undefined) return 0;
	let best = Number.POSITIVE_INFINITY;
	for (let chosen = 0; chosen < 2 ** rest.length; chosen += 1) {
		const isWith = (_: TemplatePoint, index: number): boolean => ((chosen >> index) & 1) === 1;
		const together = groupMs([first, ...rest.filter(isWith)], cost, limits);
		const others = rest.filter((point, index) => !isWith(point, index));
		if (together < best) best = Math.min(best, together + sharedOutMs(others, cost, limits));
	}
	return best;
}

const overlapping = fc.array(fc.record({ address: fc.nat(60), count: fc.integer({ min: 1, max: 20 }) }), {
	maxLength: 6,
});

test('no other way to share points out among requests is cheaper, however they overlap', (t) => {
	fc.assert(
		fc.property(overlapping, anyCost, anyLimits, (places, cost, limits) => {
			const points = places.map(({ address, count }, index) => modbusPoint({ key: `p${index}`, address, count }));
			const left = new Set(unreadablePoints(points, limits));
			const plan = planReads(points, cost, limits);
			const best = sharedOutMs(
				points.filter((point) => !left.has(point)),
				cost,
				limits,
			);
			t.true(Math.abs(totalMs(plan, cost) - best) < 1e-6);
			t.deepEqual(sortedKeys(plan.flatMap((request) => request.points).concat([...left])), sortedKeys(points));
		}),
		{ numRuns: 300 },
	);
});

/** What most masters do: merge over gaps up to a fixed size. */
function fixedGapMs(points: readonly TemplatePoint[], gap: number, cost: LineCost, limits: PlanLimits): number {
	let sum = 0;
	let group: TemplatePoint[] = [];
	for (const point of points) {
		const last = group.at(-1);
		const isFar = last !== undefined && point.address - last.address - last.count > gap;
		const isTooMuch = groupMs([...group, point], cost, limits) === Number.POSITIVE_INFINITY;
		if (group.length > 0 && (isFar || isTooMuch)) {
			sum += groupMs(group, cost, limits);
			group = [];
		}
		group.push(point);
	}
	return group.length === 0 ? sum : sum + groupMs(group, cost, limits);
}

test('no fixed gap beats the plan', (t) => {
	fc.assert(
		fc.property(
			layout(60),
			fc.integer({ min: 0, max: 125 }),
			anyCost,
			fc.integer({ min: 8, max: 125 }),
			(gaps, gap, cost, maxRegisters) => {
				const points = layOut(3, gaps);
				const limits = { ...noLimits, maxRegisters };
				t.true(totalMs(planReads(points, cost, limits), cost) <= fixedGapMs(points, gap, cost, limits) + 1e-6);
			},
		),
		{ numRuns: 200 },
	);
});

test('views of the same registers share a request', (t) => {
	const number = modbusPoint({ key: 'status', address: 7, count: 2, type: 'uint32', byteOrder: 'ABCD' });
	const bits = { ...number, key: 'status_bits', type: 'bits' } as const;
	const wide = modbusPoint({ key: 'wide', address: 0, count: 20, type: 'string' });
	const plan = planReads([bits, number, wide], rtuCost(9600, 10, 0), noLimits);
	t.deepEqual(shape(plan), ['3:0+20']);
	t.deepEqual(plan[0]?.keys, ['wide', 'status', 'status_bits']);
});
