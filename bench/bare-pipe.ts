import mqtt from 'mqtt';

import { encodeBlock } from '../core/journal/block-codec.ts';
import { newGatewayId } from '../core/kernel/id.ts';
import { startBrokerProcess } from './mqtt-rig.ts';
import { plausibleReadings } from './plausible-readings.ts';

const BLOCK_SAMPLES = 20_000;
const COMMIT_SAMPLES = 1_000;
const MEASURE_MS = 2_000;

/**
 * The peer of the drain: blocks like those of the backfill lane at QoS 1, one after the other, encoded each time, from mqtt.js to stock aedes in another process. No TLS, no
 * journal on either side, nobody who decodes. Answers samples per second.
 */
export async function barePipeRate(): Promise<number> {
	const origin = newGatewayId();
	const readings = Array.from({ length: BLOCK_SAMPLES / COMMIT_SAMPLES }, (_, index) =>
		plausibleReadings({ origin, epoch: 1, samples: COMMIT_SAMPLES, firstSeq: index * COMMIT_SAMPLES + 1 }),
	).flat();
	const broker = await startBrokerProcess('stock', 0);
	try {
		const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion: 4 });
		const fromMs = performance.now();
		let blocks = 0;
		while (performance.now() - fromMs < MEASURE_MS) {
			await client.publishAsync('bench', encodeBlock(readings), { qos: 1 });
			blocks += 1;
		}
		const rate = (blocks * BLOCK_SAMPLES * 1_000) / (performance.now() - fromMs);
		await client.endAsync();
		return rate;
	} finally {
		await broker.stop();
	}
}
