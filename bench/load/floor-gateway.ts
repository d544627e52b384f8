import { createServer } from 'node:net';

import { Aedes } from 'aedes';
import modbus from 'modbus-serial';

import { listenOnLoopback } from '../../gateway/simulator/listen.ts';
import { numbersOf, requiredArguments } from './arguments.ts';

/**
 * Program: the smallest gateway that Node and our packages allow, without checks, journal or accounts. It reads 100 holding
 * registers of each device once per period and publishes one message. What the product costs is told as a multiple of it.
 */
const POINTS = 100;
const { ports, period } = requiredArguments(['ports', 'period']);
const periodMs = Number(period);
const devices = numbersOf(ports);

const broker = await Aedes.createBroker();
const mqttPort = await listenOnLoopback(createServer({ noDelay: true }, broker.handle), 0);

async function startDevice(port: number, index: number): Promise<void> {
	const client = new modbus.default();
	await client.connectTCP('127.0.0.1', { port });
	client.setID(1);
	client.setTimeout(periodMs);
	const topic = `devices/bench-${index}/telemetry`;
	async function turn(): Promise<void> {
		const { data } = await client.readHoldingRegisters(0, POINTS);
		const values = Object.fromEntries(data.map((value, point) => [`stamp_${point}`, value]));
		const payload = Buffer.from(JSON.stringify({ timestamp: Date.now(), values }));
		broker.publish({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false }, () => undefined);
	}
	// Devices are spread over the period, as a scheduler would.
	setTimeout(() => setInterval(() => void turn(), periodMs), (index * periodMs) / devices.length);
}

for (const [index, port] of devices.entries()) await startDevice(port, index);
console.log(JSON.stringify({ event: 'ready', mqtt_port: mqttPort }));
process.once('SIGTERM', () => process.exit(0));
