import { connect } from 'node:net';

import type { DeviceTemplate, TemplatePoint } from '../../config/template/template.ts';
import { portsOf } from '../../test/fake/machine-ports.ts';
import { plainDevice } from '../../test/fake/plain-device.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { deviceId, deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createDeviceReader } from '../../gateway/driver/modbus/codec/device-reader.ts';
import { createModbusDriver } from '../../gateway/driver/modbus/modbus-driver.ts';
import { measuredLine } from '../../gateway/driver/modbus/measured-line.ts';
import { phaseOf } from '../../gateway/driver/modbus/plan/poll-groups.ts';
import { planReads } from '../../gateway/driver/modbus/plan/request-plan.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import { numbersOf, requiredArguments } from './arguments.ts';

/**
 * Program: reads `points` registers of each port once a second and decodes them, by the Modbus driver or by the least that
 * `node:net` allows. Says what it cost and how late the values were, and ends.
 */
const args = requiredArguments(['engine', 'ports', 'points', 'warm', 'seconds']);
const ports = numbersOf(args.ports);
const points = Number(args.points);
const PERIOD_MS = 1000;
const SCALE = 0.1;

/** Instants of the readings of each device, and ages of their values; only while it is measured. */
const readAt: number[][] = ports.map(() => []);
const ages: number[] = [];
let samples = 0;
let isMeasuring = false;

/** Register 0 holds the slave's clock, ms modulo 65 536. */
function arrived(device: number, values: readonly unknown[]): void {
	if (!isMeasuring) return;
	samples += values.length;
	readAt[device]?.push(performance.now());
	ages.push((Date.now() - Number(values[0])) & 0xffff);
}

const point = (address: number): TemplatePoint => ({
	key: `p${address}`,
	name: `p${address}`,
	functionCode: 3,
	address,
	count: 1,
	type: 'uint16',
	byteOrder: 'AB',
	scale: address === 0 ? 1 : SCALE,
	offset: 0,
	unit: '',
	kind: 'measurement',
	access: 'r',
	invalid: ['FFFF'],
	enum: null,
	min: null,
	max: null,
});

const template: DeviceTemplate = {
	key: 'bench',
	manufacturer: 'Bench',
	model: 'Stamp',
	category: 'bench',
	maxRegistersPerRead: 125,
	guardMs: 0,
	points: Array.from({ length: points }, (_, address) => point(address)),
};

const idOf = (index: number): string => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

async function startDriver(): Promise<void> {
	const connectLine = createModbusLine(systemClock, portsOf(), null);
	const indexOf = new Map(ports.map((_, index) => [idOf(index), index]));
	const driver = createModbusDriver({
		plan: planReads,
		createReader: createDeviceReader,
		createLine: (line, meter) => measuredLine(connectLine(line, meter), meter, systemClock),
		template: () => template,
		sink: {
			reading: ({ device, values }) => arrived(indexOf.get(device) ?? 0, values),
			health: () => undefined,
		},
		clock: systemClock,
		log: silentLog,
	});
	await driver.apply(
		ports.map((port, index) =>
			plainDevice({
				id: deviceId(idOf(index)),
				uid: deviceUid(`bench-${index}`),
				connection: {
					driver: 'modbus',
					line: { transport: 'tcp', host: '127.0.0.1', port },
					unitId: 1,
					template: 'bench',
					periodMs: PERIOD_MS,
					timeoutMs: 900,
				},
			}),
		),
	);
}

/** One socket and one timer for each device; nothing is checked. */
function startFloor(): void {
	const HEAD_BYTES = 9;
	const request = Buffer.from([0, 0, 0, 0, 0, 6, 1, 3, 0, 0, 0, points]);
	for (const [index, port] of ports.entries()) {
		const socket = connect({ port, host: '127.0.0.1', noDelay: true });
		socket.on('data', (chunk) => {
			const values: number[] = [];
			for (let i = 0; i < points; i += 1) {
				const raw = chunk.readUInt16BE(HEAD_BYTES + 2 * i);
				values.push(i === 0 ? raw : raw * SCALE);
			}
			arrived(index, values);
		});
		setTimeout(() => setInterval(() => socket.write(request), PERIOD_MS), phaseOf(index) * PERIOD_MS);
	}
}

/** How much later than its grid each reading was; the grid is the one that its earliest reading lies on. */
function latenesses(): readonly number[] {
	return readAt.flatMap((instants) => {
		const first = instants[0] ?? 0;
		const offsets = instants.map((at) => ((((at - first) % PERIOD_MS) + 1.5 * PERIOD_MS) % PERIOD_MS) - PERIOD_MS / 2);
		const earliest = Math.min(...offsets);
		return offsets.map((offset) => offset - earliest);
	});
}

function percentile(values: readonly number[], share: number): number {
	const sorted = Float64Array.from(values).toSorted();
	return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

if (args.engine === 'floor') startFloor();
else await startDriver();
await new Promise((resolve) => {
	setTimeout(resolve, Number(args.warm) * 1000);
});
isMeasuring = true;
const startCpu = process.cpuUsage();
const startMs = performance.now();
await new Promise((resolve) => {
	setTimeout(resolve, Number(args.seconds) * 1000);
});
isMeasuring = false;
const { user, system } = process.cpuUsage(startCpu);
const seconds = (performance.now() - startMs) / 1000;
const late = latenesses();
console.log(
	JSON.stringify({
		event: 'measured',
		points_per_s: samples / seconds,
		cpu_percent: (user + system) / 1e4 / seconds,
		late_p50_ms: percentile(late, 0.5),
		late_p99_ms: percentile(late, 0.99),
		late_max_ms: Math.max(...late),
		age_p99_ms: percentile(ages, 0.99),
		rss_mb: process.memoryUsage().rss / 1e6,
	}),
);
process.exit(0);
