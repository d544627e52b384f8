import Joi from 'joi';

import { type Child, startChild } from '../demo/child.ts';
import { loadProgram, startStampSlave } from './stamp-devices.ts';
import { type Row, median, table } from './table.ts';

/** EMQX Neuron's published case: 500 devices of 30 points, each once a second. */
const DEVICES = 500;
const POINTS = 30;
/** Limits: of one core, and from the grid to the decoded sample. */
const MOST_CPU_PERCENT = 50;
const MOST_LATE_P99_MS = 100;

const ENGINES = ['floor', 'drawbridge'] as const;

interface Measurement {
	readonly points_per_s: number;
	readonly cpu_percent: number;
	readonly late_p50_ms: number;
	readonly late_p99_ms: number;
	readonly late_max_ms: number;
	readonly age_p99_ms: number;
	readonly rss_mb: number;
}

const figure = () => Joi.number().unsafe().required();

const measuredSchema = Joi.object<Measurement & { readonly event: string }>({
	event: Joi.valid('measured').required(),
	points_per_s: figure(),
	cpu_percent: figure(),
	late_p50_ms: figure(),
	late_p99_ms: figure(),
	late_max_ms: figure(),
	age_p99_ms: figure(),
	rss_mb: figure(),
});

export interface FleetPollOptions {
	readonly rounds: number;
	readonly warmSeconds: number;
	readonly seconds: number;
}

async function measure(engine: string, ports: readonly number[], options: FleetPollOptions): Promise<Measurement> {
	const fields = {
		engine,
		ports: ports.join(','),
		points: POINTS,
		warm: options.warmSeconds,
		seconds: options.seconds,
	};
	const child = startChild({
		name: engine,
		args: [loadProgram('fleet-poller'), ...Object.entries(fields).map(([name, value]) => `--${name}=${value}`)],
	});
	await child.exited;
	const last = child.lastLines().at(-1) ?? '';
	if (!last.startsWith('{')) throw new Error(`${engine} failed:\n${child.lastLines().join('\n')}`);
	const { value, error } = measuredSchema.validate(JSON.parse(last));
	if (error !== undefined) throw error;
	return value;
}

function rowOf(engine: string, measurements: readonly Measurement[]): Row {
	const middle = (column: keyof Measurement): number => median(measurements.map((measured) => measured[column]));
	return {
		engine,
		'points/s': middle('points_per_s'),
		'cpu %': middle('cpu_percent'),
		'µs/point': (1e4 * middle('cpu_percent')) / middle('points_per_s'),
		'late p50 ms': middle('late_p50_ms'),
		'late p99 ms': middle('late_p99_ms'),
		'late max ms': Math.max(...measurements.map((measured) => measured.late_max_ms)),
		'age p99 ms': middle('age_p99_ms'),
		'rss MB': middle('rss_mb'),
	};
}

/**
 * 500 Modbus TCP devices of 30 points, each second, from the socket to the decoded sample: the driver with bus, planner, health and
 * plausibility beside a bare socket with a timer each, in turn on the same slaves. Late: how much after the grid that the earliest
 * reading of the device lies on; age: from the slave's reading of the register to the decoded value.
 */
export async function runFleetPollBench(
	options: FleetPollOptions,
): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	const endings: (() => Promise<void>)[] = [];
	try {
		const ports = await startStampSlave(DEVICES, 1, (child: Child) => void endings.push(() => child.stop()));
		const measured = new Map<string, Measurement[]>(ENGINES.map((engine) => [engine, []]));
		for (let round = 0; round < options.rounds; round += 1) {
			for (const engine of ENGINES) measured.get(engine)?.push(await measure(engine, ports, options));
		}
		const rows = ENGINES.map((engine) => rowOf(engine, measured.get(engine) ?? []));
		const product = rows[1] ?? {};
		return {
			report: table(rows),
			isWithinLimits:
				Number(product['cpu %']) < MOST_CPU_PERCENT &&
				Number(product['late p99 ms']) < MOST_LATE_P99_MS &&
				Number(product['points/s']) > 0.98 * DEVICES * POINTS,
		};
	} finally {
		for (const end of endings.toReversed()) await end();
	}
}
