import type { Line } from '../../config/connection/connection.ts';
import type { Device } from '../../core/device/device.ts';
import type { Bus } from '../driver/bus.ts';
import type { LineStats } from '../driver/driver.ts';
import type { LatencyBucket, LatencyHistogram } from '../driver/latency-histogram.ts';
import { exceptionText } from '../driver/modbus/wire/modbus-fault.ts';
import type { UnitCounters, UnitMeter } from '../driver/unit-meter.ts';
import { streamLineName } from '../driver/serial/stream-line.ts';
import type { StreamCounters, StreamMeter } from '../driver/serial/stream-meter.ts';
import type { WiringHealth } from './judgement.ts';
import { streamHealth } from './stream-health.ts';
import { wiringHealth } from './wiring-health.ts';

export interface ExceptionCount {
	readonly code: number;
	readonly text: string;
	readonly count: number;
}

/** One unit of a line: who it is, what was counted, how its wiring does. */
export interface UnitDiagnosis extends Readonly<UnitCounters> {
	readonly unitId: number;
	/** Devices with this unit id on this line; there is more than one where several templates read one unit. */
	readonly devices: readonly Device[];
	readonly exceptions: readonly ExceptionCount[];
	/** Share of the last 10 s in which the line was busy with this unit. */
	readonly utilisation: number;
	readonly latencyP50Ms: number | null;
	readonly latencyP99Ms: number | null;
	readonly latency: readonly LatencyBucket[];
	readonly health: WiringHealth;
}

/** The line of one serial device that is not Modbus. */
export interface StreamDiagnosis extends Readonly<StreamCounters> {
	/** `null`: it is gone by now. */
	readonly device: Device | null;
	readonly isAsked: boolean;
	readonly checksumErrors: number;
}

export interface LineDiagnosis {
	readonly stats: LineStats;
	readonly units: readonly UnitDiagnosis[];
	/** `null`: a line of Modbus devices. */
	readonly stream: StreamDiagnosis | null;
	readonly health: WiringHealth;
}

/** The name of the line that a connection writes out. */
export type LineNameOf = (line: Line) => string;

/** Name of the line that a device hangs on; `null`: on none. */
export function lineOf({ connection }: Pick<Device, 'connection'>, nameOf: LineNameOf): string | null {
	if (connection?.driver === 'modbus') return nameOf(connection.line);
	return connection?.driver === 'serial' ? streamLineName(connection.line) : null;
}

/** Devices on a Modbus line, by their unit. */
function devicesOf(
	line: string,
	devices: readonly Device[],
	nameOf: LineNameOf,
): ReadonlyMap<number, readonly Device[]> {
	const byUnit = new Map<number, Device[]>();
	for (const device of devices) {
		const { connection, deletedAt } = device;
		if (deletedAt !== null || connection?.driver !== 'modbus' || nameOf(connection.line) !== line) continue;
		byUnit.set(connection.unitId, [...(byUnit.get(connection.unitId) ?? []), device]);
	}
	return byUnit;
}

const percentiles = (latency: LatencyHistogram) => ({
	latencyP50Ms: latency.percentileMs(0.5),
	latencyP99Ms: latency.percentileMs(0.99),
});

/** What is heard between frames belongs to the line. */
const NOT_OF_A_UNIT = { foreignFrames: 0, echoFrames: 0, noiseBytes: 0 } as const;

function unitDiagnosis(meter: UnitMeter, devices: readonly Device[], nowMs: number): UnitDiagnosis {
	const { unitId, counters, exceptions, latency, utilisation } = meter;
	const { requests, answers, timeouts, corrupt, unproven, skippedPeriods } = counters;
	return {
		...counters,
		unitId,
		devices,
		exceptions: [...exceptions]
			.toSorted(([a], [b]) => a - b)
			.map(([code, count]) => ({ code, text: exceptionText(code), count })),
		utilisation: utilisation.share(nowMs),
		...percentiles(latency),
		latency: latency.buckets(),
		health: wiringHealth({
			requests,
			answers,
			timeouts,
			damaged: corrupt,
			late: unproven,
			skippedPeriods,
			...NOT_OF_A_UNIT,
			...percentiles(latency),
		}),
	};
}

const failedHealth = ({ state, reason }: LineStats): WiringHealth | null =>
	state === 'failed' ? { score: 0, verdict: 'poor', reasons: [reason ?? 'the line failed'] } : null;

function busHealth(stats: LineStats, units: readonly UnitDiagnosis[]): WiringHealth {
	const total = (of: (unit: UnitDiagnosis) => number): number => units.reduce((sum, unit) => sum + of(unit), 0);
	const judged = wiringHealth({
		...stats,
		requests: total(({ requests }) => requests),
		answers: total(({ answers }) => answers),
		timeouts: total(({ timeouts }) => timeouts),
		damaged: Math.max(
			stats.crcErrors,
			total(({ corrupt }) => corrupt),
		),
		late: total(({ unproven }) => unproven),
	});
	return stats.overrun === null ? judged : { ...judged, reasons: [...judged.reasons, stats.overrun] };
}

/** What the devices of a line are measured with. */
export interface LineMeters {
	/** Of a Modbus line. */
	readonly bus: Pick<Bus, 'meter'> | null;
	/** Of the line of a serial device that is not Modbus. */
	readonly stream: StreamMeter | null;
}

/** What is to be said of a line: its counters, those of each unit that was ever asked or of its one device, and a judgement of each. */
export function diagnoseLine(
	stats: LineStats,
	{ bus, stream }: LineMeters,
	{ devices, nameOf }: { readonly devices: readonly Device[]; readonly nameOf: LineNameOf },
	nowMs: number,
): LineDiagnosis {
	const byUnit = devicesOf(stats.line, devices, nameOf);
	const units = (bus?.meter.units.all() ?? []).map((meter) =>
		unitDiagnosis(meter, byUnit.get(meter.unitId) ?? [], nowMs),
	);
	const failed = failedHealth(stats);
	if (stream === null) return { stats, units, stream: null, health: failed ?? busHealth(stats, units) };
	const { device: id, isAsked, counters } = stream;
	const device = devices.find((each) => each.id === id) ?? null;
	return {
		stats,
		units,
		stream: { ...counters, device, isAsked, checksumErrors: stats.crcErrors },
		health: failed ?? streamHealth(stats, stream),
	};
}
