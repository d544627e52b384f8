import Joi from 'joi';

import { type Child, portOf, startChild } from '../demo/child.ts';
import { claim, member } from '../test/system/kit/rest.ts';
import { type Stage, createStage } from '../test/system/kit/stage.ts';
import { loadProgram, POINTS_PER_DEVICE, stampDevices, startStampSlave, writeStampTemplate } from './stamp-devices.ts';
import { type Row, median, table } from './table.ts';

/** Devices of 100 points, each read once per second. */
const DEVICES = 10;
const PERIOD_MS = 1000;
const TOPIC = 'devices/+/telemetry';
/** The product may be this much of the smallest gateway's processor time, and its values this old in the middle. */
const MOST_CPU_RATIO = 2;
const MOST_AGE_MS = 10;

/** How long the bench takes: rounds of both gateways in turn. */
export interface SystemBenchOptions {
	readonly rounds: number;
	readonly warmSeconds: number;
	readonly seconds: number;
}

interface Measurement {
	readonly points_per_s: number;
	readonly messages_per_s: number;
	readonly age_p50_ms: number;
	readonly age_p99_ms: number;
	readonly age_max_ms: number;
	readonly cpu_percent: number;
	readonly rss_mb: number;
}

/** A gateway that runs: where it publishes and what it costs. */
interface Contender {
	readonly name: string;
	readonly child: Child;
	readonly mqttPort: number;
	readonly username: string;
	readonly password: string;
}

const measuredSchema = Joi.object<Measurement & { readonly event: string }>({
	event: Joi.valid('measured').required(),
	points_per_s: Joi.number().unsafe().required(),
	messages_per_s: Joi.number().unsafe().required(),
	age_p50_ms: Joi.number().allow(null).required(),
	age_p99_ms: Joi.number().allow(null).required(),
	age_max_ms: Joi.number().allow(null).required(),
	cpu_percent: Joi.number().unsafe().required(),
	rss_mb: Joi.number().unsafe().required(),
});

async function measure(contender: Contender, options: SystemBenchOptions): Promise<Measurement> {
	const fields = {
		port: contender.mqttPort,
		topic: TOPIC,
		seconds: options.seconds,
		warm: options.warmSeconds,
		pids: contender.child.pid,
		username: contender.username,
		password: contender.password,
	};
	const subscriber = startChild({
		name: 'age-subscriber',
		args: [loadProgram('age-subscriber'), ...Object.entries(fields).map(([name, value]) => `--${name}=${value}`)],
	});
	await subscriber.exited;
	const last = subscriber.lastLines().at(-1) ?? '';
	if (!last.startsWith('{')) throw new Error(`the subscriber failed:\n${subscriber.lastLines().join('\n')}`);
	const { value, error } = measuredSchema.validate(JSON.parse(last));
	if (error !== undefined) throw error;
	return value;
}

async function startProduct(stage: Stage, ports: readonly number[]): Promise<Contender> {
	const settings = writeStampTemplate(stage.folder, POINTS_PER_DEVICE);
	const gateway = await stage.spawnGateway({ devices: stampDevices(ports, PERIOD_MS), settings });
	const administrator = await claim(gateway.url(), await gateway.claimCode());
	const { body } = await administrator.post('/api/v1/mqtt/readers', { name: 'bench' });
	const username = String(member(body, 'username'));
	const password = String(member(body, 'password'));
	return { name: 'drawbridge', child: gateway.child(), mqttPort: gateway.port('mqtt_port'), username, password };
}

async function startFloor(own: (child: Child) => void, ports: readonly number[]): Promise<Contender> {
	const child = startChild({
		name: 'floor',
		args: [loadProgram('floor-gateway'), '--ports', ports.join(','), '--period', String(PERIOD_MS)],
	});
	own(child);
	return { name: 'floor', child, mqttPort: portOf(await child.ready(), 'mqtt_port'), username: '', password: '' };
}

function rowOf(name: string, measurements: readonly Measurement[]): Row {
	const middle = (column: keyof Measurement): number => median(measurements.map((measured) => measured[column]));
	return {
		gateway: name,
		'points/s': middle('points_per_s'),
		'msgs/s': middle('messages_per_s'),
		'age p50 ms': middle('age_p50_ms'),
		'age p99 ms': middle('age_p99_ms'),
		'age max ms': Math.max(...measurements.map((measured) => measured.age_max_ms)),
		'cpu %': middle('cpu_percent'),
		'rss MB': middle('rss_mb'),
	};
}

function ratioRow(product: Row, floor: Row): Row {
	const ratio = (column: string): number => Number(product[column]) / Number(floor[column]);
	return Object.fromEntries(
		Object.keys(product).map((column) => [column, column === 'gateway' ? 'ratio' : ratio(column)]),
	);
}

/**
 * Slave → local MQTT subscriber through the real gateway (journal on, accounts on) and through the smallest one, in turn on
 * the same slaves. Medians of the rounds, then the product's multiple of the floor.
 * @returns the table and whether the product is within its limits
 */
export async function runSystemBench(
	options: SystemBenchOptions,
): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	const endings: (() => Promise<void>)[] = [];
	const own = (child: Child): void => void endings.push(() => child.stop());
	try {
		const stage = createStage({ teardown: (end) => endings.push(end) });
		const ports = await startStampSlave(DEVICES, POINTS_PER_DEVICE, own);
		const contenders = [await startFloor(own, ports), await startProduct(stage, ports)];
		const measured = new Map<string, Measurement[]>(contenders.map(({ name }) => [name, []]));
		for (let round = 0; round < options.rounds; round += 1) {
			for (const contender of contenders) measured.get(contender.name)?.push(await measure(contender, options));
		}
		const floor = rowOf('floor', measured.get('floor') ?? []);
		const product = rowOf('drawbridge', measured.get('drawbridge') ?? []);
		const ratios = ratioRow(product, floor);
		return {
			report: table([floor, product, ratios]),
			isWithinLimits: Number(product['age p50 ms']) <= MOST_AGE_MS && Number(ratios['cpu %']) <= MOST_CPU_RATIO,
		};
	} finally {
		for (const end of endings.toReversed()) await end();
	}
}
