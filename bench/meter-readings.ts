import { epochMs } from '../core/kernel/clock.ts';
import { deviceId, type GatewayId } from '../core/kernel/id.ts';
import type { Reading } from '../core/telemetry/reading.ts';
import { createMeterModel } from '../gateway/simulator/meter-model.ts';
import { INPUT_FLOATS } from '../gateway/simulator/sdm630-registers.ts';

/** Registers of each meter that are read; the simulated SDM630 has a few more. */
export const POINTS_PER_METER = 50;
const REGISTERS = [...INPUT_FLOATS].slice(0, POINTS_PER_METER);
const POINTS = REGISTERS.map(([address]) => `input_${address}`);

/** Meters of the simulator, each with a week of its own: voltages that wobble, loads that come and go, counters that grow. */
export function createMeters(count: number, origin: GatewayId) {
	const meters = Array.from({ length: count }, (_, index) => ({
		device: deviceId(`00000000-0000-4000-8000-${String(index).padStart(12, '0')}`),
		model: createMeterModel(index + 1),
	}));
	let firstSeq = 1;
	/** One reading of each meter at this instant, as float registers give them. */
	return (atMs: number, epoch: number): readonly Reading[] =>
		meters.map(({ device, model }) => {
			const state = model.at(atMs);
			const values = REGISTERS.map(([, valueOf]) => Math.fround(valueOf(state)));
			const from = firstSeq;
			firstSeq += values.length;
			return {
				device,
				readAt: epochMs(atMs),
				telemetryType: 'default',
				points: POINTS,
				values,
				qualities: null,
				origin,
				epoch,
				firstSeq: from,
			};
		});
}
