import { type PerPhase, type WeekCurve, createWeekCurve, noise } from './day-curve.ts';

/** Everything an SDM630 knows at one instant. Powers: positive = drawn from the grid. */
export interface MeterState {
	/** Phase to neutral, V. */
	readonly voltageV: PerPhase;
	readonly currentA: PerPhase;
	readonly activeW: PerPhase;
	readonly apparentVa: PerPhase;
	readonly reactiveVar: PerPhase;
	/** Signed like the active power, -1 to 1. */
	readonly powerFactor: PerPhase;
	readonly frequencyHz: number;
	/** Counters per phase since the meter was installed: Wh and varh. They only grow. */
	readonly importWh: PerPhase;
	readonly exportWh: PerPhase;
	readonly importVarh: PerPhase;
	readonly exportVarh: PerPhase;
	/** Total harmonic distortion, %. */
	readonly voltageThd: PerPhase;
	readonly currentThd: PerPhase;
}

/** A meter whose values depend on nothing but its seed and the instant. */
export interface MeterModel {
	at(atMs: number): MeterState;
}

/** Reactive power as a share of the active power drawn; the same share makes the reactive counters. */
const REACTIVE_SHARE = 0.28;
/** The counters started at zero on this day: 2024-01-01T00:00Z, a Monday. */
const INSTALLED_MS = Date.UTC(2024, 0, 1);
/** Voltage drop of the feeder, V per W and phase: load pulls the voltage down, feed-in lifts it. */
const DROP_V_PER_W = 0.0006;

const minus = (a: PerPhase, b: PerPhase): PerPhase => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const map = (a: PerPhase, f: (value: number, phase: number) => number): PerPhase => [
	f(a[0], 0),
	f(a[1], 1),
	f(a[2], 2),
];
export const sum = (a: PerPhase): number => a[0] + a[1] + a[2];

/** Noise around zero, ±1: half of it changes each second, half drifts over 20 s. */
function wobble(seed: number, channel: number, atMs: number): number {
	const slow = atMs / 20_000;
	const step = Math.floor(slow);
	const share = slow - step;
	const drift = noise(seed, channel, step) * (1 - share) + noise(seed, channel, step + 1) * share;
	return drift + noise(seed, channel + 500, Math.floor(atMs / 1000)) - 1;
}

function stateAt(seed: number, curve: WeekCurve, atMs: number): MeterState {
	const activeW = map(curve.powerW(atMs), (power, phase) => power * (1 + 0.01 * wobble(seed, 40 + phase, atMs)));
	const voltageV = map(activeW, (power, phase) => {
		const plain = 230 + 1.2 * (noise(seed, 20, phase) - 0.5) - DROP_V_PER_W * power + wobble(seed, 30 + phase, atMs);
		return Math.min(235, Math.max(225, plain));
	});
	const reactiveVar = map(activeW, (power) => REACTIVE_SHARE * power);
	const apparentVa = map(activeW, (power, phase) => Math.hypot(power, reactiveVar[phase] ?? 0));
	const zero = { importWh: curve.importWh(INSTALLED_MS), exportWh: curve.exportWh(INSTALLED_MS) };
	const importWh = minus(curve.importWh(atMs), zero.importWh);
	const exportWh = minus(curve.exportWh(atMs), zero.exportWh);
	return {
		voltageV,
		currentA: map(apparentVa, (power, phase) => power / (voltageV[phase] ?? 230)),
		activeW,
		apparentVa,
		reactiveVar,
		powerFactor: map(activeW, (power, phase) => power / Math.max(apparentVa[phase] ?? 1, 1e-6)),
		frequencyHz: 50 + 0.05 * wobble(7, 50, atMs),
		importWh,
		exportWh,
		importVarh: map(importWh, (energy) => REACTIVE_SHARE * energy),
		exportVarh: map(exportWh, (energy) => REACTIVE_SHARE * energy),
		voltageThd: map(voltageV, (_, phase) => 1.8 + 0.5 * wobble(seed, 60 + phase, atMs)),
		currentThd: map(voltageV, (_, phase) => 9 + 3 * wobble(seed, 70 + phase, atMs)),
	};
}

/** The frequency is that of the grid: all meters agree on it, whatever their seed. */
export function createMeterModel(seed: number): MeterModel {
	const curve = createWeekCurve(seed);
	return { at: (atMs) => stateAt(seed, curve, atMs) };
}
