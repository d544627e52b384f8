import { setImmediate as turn } from 'node:timers/promises';

import { epochMs, systemClock } from '../../core/kernel/clock.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import { requiredArguments } from './arguments.ts';
import { type IngestRig, openIngestRig } from './ingest-rig.ts';

/**
 * Program: the whole way of a sample in one process, as fast as it goes: `polled` readings of Modbus devices and `messages` of MQTT devices,
 * each with validation, journal, history window, latest values, alert rules, local MQTT and realtime, all without subscribers; beside them the
 * `journal` alone. They take turns. Its last line is the rates of all rounds as JSON.
 */
const TEMPLATE = 'ingest-bench';
const DEVICES = 50;
const POINTS = Array.from({ length: 20 }, (_, index) => `point_${index}`);
/** Samples under way: above what makes a commit due by its size. */
const MOST_UNDER_WAY = 60_000;

/** Takes one reading of the device of this number; resolves when it is durable. */
type Take = (device: number) => Promise<unknown>;

let instantMs: number = systemClock.now();
const values = (): number[] =>
	POINTS.map((_, index) => Math.fround(230 + Math.sin(instantMs / 1_000 + index) * 5 + Math.random() * 0.1));

const register = ({ part }: IngestRig, driver: 'modbus' | 'mqtt') =>
	Promise.all(
		Array.from({ length: DEVICES }, (_, index) =>
			part.devices.register({
				uid: deviceUid(`${driver}-${index}`),
				name: driver,
				deviceType: 'bench',
				connection:
					driver === 'mqtt'
						? { driver }
						: {
								driver,
								line: { transport: 'tcp', host: '127.0.0.1', port: 502 + index },
								unitId: 1,
								template: TEMPLATE,
								periodMs: 1_000,
								timeoutMs: 500,
							},
			}),
		),
	);

async function polled(rig: IngestRig): Promise<Take> {
	const devices = (await register(rig, 'modbus')).map(({ id }) => id);
	return async (number) => {
		const device = devices[number];
		if (device === undefined) throw new RangeError(`there is no device ${number}`);
		const rest = { readAt: epochMs(instantMs), telemetryType: 'default', points: POINTS, qualities: null };
		await rig.part.telemetry.accept({ device, values: values(), ...rest }, 'group');
	};
}

async function messages(rig: IngestRig): Promise<Take> {
	const devices = await register(rig, 'mqtt');
	let messageId = 0;
	return async (number) => {
		const device = devices[number];
		if (device === undefined) throw new RangeError(`there is no device ${number}`);
		const sampled = values();
		const payload = Buffer.from(JSON.stringify(Object.fromEntries(POINTS.map((point, at) => [point, sampled[at]]))));
		const account = { kind: 'device', device: device.id, uid: device.uid, name: device.uid } as const;
		messageId = (messageId % 65_535) + 1;
		const topic = `devices/${device.uid}/telemetry`;
		const verdict = await rig.topics.receive(account, { topic, payload, qos: 1, retain: false, dup: false, messageId });
		if (verdict !== 'deliver') throw new Error('a message was refused');
	};
}

function journalAlone({ part, alone, origin }: IngestRig): Take {
	const devices = part.devices.all().map(({ id }) => id);
	let firstSeq = 1;
	return async (number) => {
		const device = devices[number];
		if (device === undefined) throw new RangeError(`there is no device ${number}`);
		const rest = { readAt: epochMs(instantMs), telemetryType: 'default', points: POINTS, qualities: null };
		const reading = { device, values: values(), ...rest, origin, epoch: 1, firstSeq };
		firstSeq += POINTS.length;
		await alone.append([reading], 'group');
	};
}

interface Rate {
	readonly samplesPerSecond: number;
	/** Of all threads of this process. */
	readonly cpuUsPerSample: number;
}

/** As many as are durable in the time; what is under way at its end is waited for and not counted. */
async function measure(take: Take, seconds: number): Promise<Rate> {
	const samples = { underWay: 0, durable: 0 };
	async function takeOne(device: number): Promise<void> {
		samples.underWay += POINTS.length;
		await take(device);
		samples.underWay -= POINTS.length;
		samples.durable += POINTS.length;
	}
	const cpu = process.cpuUsage();
	const startMs = performance.now();
	while (performance.now() - startMs < seconds * 1_000) {
		instantMs += 1_000;
		for (let device = 0; device < DEVICES; device += 1) {
			void takeOne(device);
		}
		do await turn();
		while (samples.underWay >= MOST_UNDER_WAY);
	}
	const elapsedMs = performance.now() - startMs;
	const { user, system } = process.cpuUsage(cpu);
	const { durable } = samples;
	const rate = { samplesPerSecond: (durable * 1_000) / elapsedMs, cpuUsPerSample: (user + system) / durable };
	while (samples.underWay > 0) await turn();
	return rate;
}

const { seconds, rounds } = requiredArguments(['seconds', 'rounds']);
const rig = await openIngestRig({ template: TEMPLATE, watched: POINTS });
try {
	const contenders = { polled: await polled(rig), messages: await messages(rig), journal: journalAlone(rig) };
	const measured: Record<string, Rate[]> = { polled: [], messages: [], journal: [] };
	for (let round = 0; round <= Number(rounds); round += 1)
		for (const [name, take] of Object.entries(contenders)) {
			const rate = await measure(take, Number(seconds));
			// The first round compiles.
			if (round > 0) measured[name]?.push(rate);
		}
	console.log(JSON.stringify(measured));
} finally {
	await rig.stop();
}
