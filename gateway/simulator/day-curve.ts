/** Minutes of a week; the curves repeat after it, which lets counters be computed for any instant without a memory. */
const WEEK_MINUTES = 7 * 24 * 60;
const MINUTE_MS = 60_000;
/** 1970-01-05 was a Monday. */
const FIRST_MONDAY_MS = 4 * 24 * 60 * MINUTE_MS;

/** Three values, one of each phase. */
export type PerPhase = readonly [number, number, number];

/** What one phase draws (positive) or feeds in (negative) during a minute of the week, W. */
export interface WeekCurve {
	/** Net active power of the phases at this instant, W, interpolated between minutes. */
	powerW(atMs: number): PerPhase;
	/** Energy drawn from the grid since 1970, Wh per phase. Never falls as time goes on. */
	importWh(atMs: number): PerPhase;
	/** Energy fed in since 1970, Wh per phase. Never falls as time goes on. */
	exportWh(atMs: number): PerPhase;
}

/** A number in [0, 1) that depends on nothing but its arguments. */
export function noise(seed: number, channel: number, step: number): number {
	let h = Math.imul(seed, 0x9e3779b1) ^ Math.imul(channel, 0x85ebca6b) ^ Math.imul(step, 0xc2b2ae35);
	h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
	h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
	return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

const hump = (hour: number, middle: number, width: number): number => Math.exp(-(((hour - middle) / width) ** 2));

function loadW(seed: number, phase: number, minute: number): number {
	const hour = (minute % 1440) / 60;
	const isWeekend = Math.floor(minute / 1440) >= 5;
	const morning = hump(hour, isWeekend ? 9.5 : 7, 1.4) * (500 + 700 * noise(seed, 1, phase));
	const evening = hump(hour, 19, 2.3) * (900 + 1100 * noise(seed, 2, phase));
	const base = 120 + 160 * noise(seed, 3, phase);
	// A compressor that runs for a third of its cycle, at another time on each phase.
	const isCooling = (minute + Math.floor(noise(seed, 4, phase) * 45)) % 45 < 15;
	return base + morning + evening + (isCooling ? 110 : 0) + 60 * noise(seed, 5 + phase, minute);
}

function solarW(seed: number, minute: number): number {
	const hour = (minute % 1440) / 60;
	if (hour <= 6 || hour >= 20) return 0;
	const sky = 0.35 + 0.65 * noise(seed, 10, Math.floor(minute / 1440));
	const cloud = 1 - 0.3 * noise(seed, 11, Math.floor(minute / 10));
	return (1500 + 2000 * noise(seed, 12, 0)) * Math.sin((Math.PI * (hour - 6)) / 14) ** 1.5 * sky * cloud;
}

interface PhaseWeek {
	readonly netW: Float64Array;
	/** Wh of the minutes before this one; one longer than the week. */
	readonly importedWh: Float64Array;
	readonly exportedWh: Float64Array;
}

function phaseWeek(seed: number, phase: number): PhaseWeek {
	const netW = new Float64Array(WEEK_MINUTES);
	const importedWh = new Float64Array(WEEK_MINUTES + 1);
	const exportedWh = new Float64Array(WEEK_MINUTES + 1);
	for (let minute = 0; minute < WEEK_MINUTES; minute += 1) {
		const power = loadW(seed, phase, minute) - solarW(seed, minute) / 3;
		netW[minute] = power;
		importedWh[minute + 1] = (importedWh[minute] ?? 0) + Math.max(power, 0) / 60;
		exportedWh[minute + 1] = (exportedWh[minute] ?? 0) + Math.max(-power, 0) / 60;
	}
	return { netW, importedWh, exportedWh };
}

/** Where an instant lies: whole weeks, minute in the week, share of that minute. */
function placeOf(atMs: number): { readonly weeks: number; readonly minute: number; readonly share: number } {
	const minutes = (atMs - FIRST_MONDAY_MS) / MINUTE_MS;
	const weeks = Math.floor(minutes / WEEK_MINUTES);
	const inWeek = minutes - weeks * WEEK_MINUTES;
	const minute = Math.min(Math.floor(inWeek), WEEK_MINUTES - 1);
	return { weeks, minute, share: inWeek - minute };
}

/**
 * A household with a roof of solar panels: humps of load in the morning and evening, feed-in at noon of bright days.
 * Equal seeds give equal curves. Instants before 1970-01-05 are not meant. Local time is taken to be UTC.
 */
export function createWeekCurve(seed: number): WeekCurve {
	const phases = [phaseWeek(seed, 0), phaseWeek(seed, 1), phaseWeek(seed, 2)] as const;

	const each = (valueOf: (phase: PhaseWeek) => number): PerPhase => [
		valueOf(phases[0]),
		valueOf(phases[1]),
		valueOf(phases[2]),
	];

	function integral(atMs: number, tableOf: (phase: PhaseWeek) => Float64Array): PerPhase {
		const { weeks, minute, share } = placeOf(atMs);
		return each((phase) => {
			const table = tableOf(phase);
			const from = table[minute] ?? 0;
			return weeks * (table[WEEK_MINUTES] ?? 0) + from + share * ((table[minute + 1] ?? from) - from);
		});
	}

	return {
		powerW(atMs) {
			const { minute, share } = placeOf(atMs);
			return each(({ netW }) => {
				const from = netW[minute] ?? 0;
				const to = netW[(minute + 1) % WEEK_MINUTES] ?? from;
				return from + share * (to - from);
			});
		},
		importWh: (atMs) => integral(atMs, (phase) => phase.importedWh),
		exportWh: (atMs) => integral(atMs, (phase) => phase.exportedWh),
	};
}
