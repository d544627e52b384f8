import type { DeviceTemplate } from '../../../../config/template/template.ts';
import { type CounterReplaced, createPlausibility } from '../../plausibility.ts';
import type { ReadRequest } from '../plan/request-plan.ts';
import { createDeviceDecoder, type DecodedRead } from './register-decoder.ts';

/** Turns the answers of one device into values that were judged. */
export interface DeviceReader {
	/**
	 * @param data data bytes of the answer, exactly as long as the request asks
	 * @param atMs when it came, monotonic
	 */
	read(request: ReadRequest, data: Buffer, atMs: number): DecodedRead;
	/** The device was out of reach: what answers next may be another one. */
	forget(): void;
}

export function createDeviceReader(
	template: Pick<DeviceTemplate, 'points' | 'allFfIsAbsent'>,
	replaced: CounterReplaced,
): DeviceReader {
	const decoder = createDeviceDecoder(template);
	const plausibility = createPlausibility(template.points, replaced);
	return {
		read(request, data, atMs) {
			const { values, qualities } = decoder.decode(request, data);
			return { values, qualities: plausibility.judge({ keys: request.keys, values, qualities }, atMs) };
		},
		forget: () => decoder.forget(),
	};
}
