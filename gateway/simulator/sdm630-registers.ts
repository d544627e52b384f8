import type { PerPhase } from './day-curve.ts';
import { type MeterState, sum } from './meter-model.ts';

/** Most registers the meter answers in one read. */
export const MAX_REGISTERS_PER_READ = 80;

type Valued = (state: MeterState) => number;

const mean = (values: PerPhase): number => sum(values) / 3;
const kilo = (values: PerPhase): number => sum(values) / 1000;
const SQRT3 = Math.sqrt(3);

/** Three values at `address`, `address + 2`, `address + 4`. */
const triple = (address: number, of: (state: MeterState) => PerPhase, scale = 1): readonly [number, Valued][] =>
	([0, 1, 2] as const).map((phase) => [address + 2 * phase, (state) => of(state)[phase] * scale]);

const both =
	(a: (state: MeterState) => PerPhase, b: (state: MeterState) => PerPhase) =>
	(state: MeterState): PerPhase => [a(state)[0] + b(state)[0], a(state)[1] + b(state)[1], a(state)[2] + b(state)[2]];

const degrees = (active: number, reactive: number): number => (Math.atan2(reactive, active) * 180) / Math.PI;

const angles = (state: MeterState): PerPhase => [
	degrees(state.activeW[0], state.reactiveVar[0]),
	degrees(state.activeW[1], state.reactiveVar[1]),
	degrees(state.activeW[2], state.reactiveVar[2]),
];

/** Voltage between neighbouring phases: 120 degrees apart. */
const lineVoltages = ({ voltageV: [a, b, c] }: MeterState): PerPhase => [
	((a + b) / 2) * SQRT3,
	((b + c) / 2) * SQRT3,
	((c + a) / 2) * SQRT3,
];

/** Geometric sum of three currents 120 degrees apart. */
const neutralA = ({ currentA: [a, b, c] }: MeterState): number =>
	Math.sqrt(Math.max(0, a * a + b * b + c * c - a * b - b * c - c * a));

const importWh = (state: MeterState): PerPhase => state.importWh;
const exportWh = (state: MeterState): PerPhase => state.exportWh;
const importVarh = (state: MeterState): PerPhase => state.importVarh;
const exportVarh = (state: MeterState): PerPhase => state.exportVarh;
const apparentTotal = ({ activeW, reactiveVar }: MeterState): number => Math.hypot(sum(activeW), sum(reactiveVar));

/** Input registers: protocol address of a float32 (two registers, high word first) and its value. */
export const INPUT_FLOATS: ReadonlyMap<number, Valued> = new Map([
	...triple(0, ({ voltageV }) => voltageV),
	...triple(6, ({ currentA }) => currentA),
	...triple(12, ({ activeW }) => activeW),
	...triple(18, ({ apparentVa }) => apparentVa),
	...triple(24, ({ reactiveVar }) => reactiveVar),
	...triple(30, ({ powerFactor }) => powerFactor),
	...triple(36, angles),
	[42, ({ voltageV }) => mean(voltageV)],
	[46, ({ currentA }) => mean(currentA)],
	[48, ({ currentA }) => sum(currentA)],
	[52, ({ activeW }) => sum(activeW)],
	[56, apparentTotal],
	[60, ({ reactiveVar }) => sum(reactiveVar)],
	[62, (state) => sum(state.activeW) / Math.max(apparentTotal(state), 1e-6)],
	[66, ({ activeW, reactiveVar }) => degrees(sum(activeW), sum(reactiveVar))],
	[70, ({ frequencyHz }) => frequencyHz],
	[72, (state) => kilo(importWh(state))],
	[74, (state) => kilo(exportWh(state))],
	[76, (state) => kilo(importVarh(state))],
	[78, (state) => kilo(exportVarh(state))],
	[80, (state) => Math.hypot(kilo(importWh(state)) + kilo(exportWh(state)), kilo(importVarh(state)))],
	[82, (state) => (kilo(importWh(state)) * 1000) / 230],
	[84, ({ activeW }) => sum(activeW)],
	[86, () => 9500],
	[100, apparentTotal],
	[102, () => 9900],
	[104, neutralA],
	[106, () => 14],
	...triple(200, lineVoltages),
	[206, (state) => mean(lineVoltages(state))],
	[224, neutralA],
	...triple(234, ({ voltageThd }) => voltageThd),
	...triple(240, ({ currentThd }) => currentThd),
	[248, ({ voltageThd }) => mean(voltageThd)],
	[250, ({ currentThd }) => mean(currentThd)],
	...triple(258, ({ currentA }) => currentA),
	...triple(264, () => [16, 15, 15.5]),
	...triple(334, ({ voltageThd }) => voltageThd),
	[340, ({ voltageThd }) => mean(voltageThd)],
	[342, (state) => kilo(importWh(state)) + kilo(exportWh(state))],
	[344, (state) => kilo(importVarh(state)) + kilo(exportVarh(state))],
	...triple(346, importWh, 0.001),
	...triple(352, exportWh, 0.001),
	...triple(358, both(importWh, exportWh), 0.001),
	...triple(364, importVarh, 0.001),
	...triple(370, exportVarh, 0.001),
	...triple(376, both(importVarh, exportVarh), 0.001),
]);

/** Input registers exist in these blocks, ends excluded; holes inside them read as zero. */
export const INPUT_BLOCKS: readonly (readonly [number, number])[] = [
	[0, 108],
	[200, 270],
	[334, 382],
];

/** Holding registers that are float32 settings, with the value of a meter as delivered. */
export const HOLDING_FLOATS: ReadonlyMap<number, number> = new Map([
	[0, 0],
	[2, 60],
	[6, 230],
	[8, 5],
	[10, 3],
	[18, 0],
	[20, 1],
	[28, 2],
]);

/** The only holding register that is no float: the serial number, uint32. */
export const SERIAL_NUMBER_ADDRESS = 42;

/** Holding registers exist in this block, end excluded. */
export const HOLDING_BLOCKS: readonly (readonly [number, number])[] = [[0, 44]];

/** Settings a master may write. */
export const WRITABLE: ReadonlySet<number> = new Set([0, 2, 10, 18, 20, 28]);
