import fc from 'fast-check';
import type { ModbusExchange } from '../../../gateway/driver/modbus/wire/modbus-line.ts';
import { DEVICE_SIZE } from '../../fake/pdu-device.ts';

const unitId = fc.integer({ min: 1, max: 247 });
/** Mostly within the device. */
const address = fc.integer({ min: 0, max: DEVICE_SIZE + 20 });
const word = fc.integer({ min: 0, max: 0xffff });
const words = (most: number) => fc.array(word, { minLength: 1, maxLength: most });
const bits = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 40 });
const timeoutMs = fc.constant(60_000);
const guardMs = fc.constant(0);

/** Requests of every function. */
export const exchanges: fc.Arbitrary<ModbusExchange> = fc.oneof(
	fc.record({
		unitId,
		functionCode: fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const),
		address,
		count: fc.integer({ min: 1, max: 125 }),
		timeoutMs,
	}),
	fc.record({
		unitId,
		functionCode: fc.constant(5 as const),
		address,
		words: fc.constantFrom([0], [1]),
		timeoutMs,
		guardMs,
	}),
	fc.record({ unitId, functionCode: fc.constant(6 as const), address, words: words(1), timeoutMs, guardMs }),
	fc.record({ unitId, functionCode: fc.constant(15 as const), address, words: bits, timeoutMs, guardMs }),
	fc.record({ unitId, functionCode: fc.constant(16 as const), address, words: words(20), timeoutMs, guardMs }),
	fc.record({
		unitId,
		functionCode: fc.constant(22 as const),
		address,
		andMask: word,
		orMask: word,
		timeoutMs,
		guardMs,
	}),
	fc.record({
		unitId,
		functionCode: fc.constant(23 as const),
		address,
		count: fc.integer({ min: 1, max: 30 }),
		writeAddress: address,
		words: words(10),
		timeoutMs,
		guardMs,
	}),
	fc.record({
		unitId,
		functionCode: fc.constant(43 as const),
		readCode: fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const),
		objectId: fc.integer({ min: 0, max: 4 }),
		timeoutMs,
	}),
	fc.record({ unitId, functionCode: fc.constant(17 as const), timeoutMs }),
);
