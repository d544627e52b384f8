import { createMeterModel } from './meter-model.ts';
import { ILLEGAL_DATA_ADDRESS, ILLEGAL_DATA_VALUE, type RegisterImage, floatWords } from './register-image.ts';
import {
	HOLDING_BLOCKS,
	HOLDING_FLOATS,
	INPUT_BLOCKS,
	INPUT_FLOATS,
	MAX_REGISTERS_PER_READ,
	SERIAL_NUMBER_ADDRESS,
	WRITABLE,
} from './sdm630-registers.ts';

/** A value takes two registers and is read from its even address on. */
const isAligned = (address: number, count: number): boolean => address % 2 === 0 && count % 2 === 0;

const isInside = (blocks: readonly (readonly [number, number])[], address: number, count: number): boolean =>
	blocks.some(([from, to]) => address >= from && address + count <= to);

function words(count: number, valueWords: (offset: number) => readonly [number, number]): Uint16Array {
	const registers = new Uint16Array(count);
	for (let offset = 0; offset < count; offset += 2) registers.set(valueWords(offset), offset);
	return registers;
}

/** The registers of a simulated SDM630. Equal seeds give equal meters; the serial number is made of the seed. */
export function createSdm630Image(seed: number): RegisterImage {
	const model = createMeterModel(seed);
	const settings = new Map(HOLDING_FLOATS);
	const serialNumber = 23_000_000 + (seed % 1_000_000);

	function readHolding(address: number, count: number): Uint16Array {
		return words(count, (offset) => {
			const at = address + offset;
			if (at === SERIAL_NUMBER_ADDRESS) return [serialNumber >>> 16, serialNumber & 0xffff];
			return floatWords(settings.get(at) ?? 0);
		});
	}

	function readInput(address: number, count: number, atMs: number): Uint16Array {
		const state = model.at(atMs);
		return words(count, (offset) => floatWords(INPUT_FLOATS.get(address + offset)?.(state) ?? 0));
	}

	return {
		read(functionCode, address, count, atMs) {
			if (count < 1 || count > MAX_REGISTERS_PER_READ) return ILLEGAL_DATA_VALUE;
			const blocks = functionCode === 4 ? INPUT_BLOCKS : HOLDING_BLOCKS;
			if (!isAligned(address, count) || !isInside(blocks, address, count)) return ILLEGAL_DATA_ADDRESS;
			return functionCode === 4 ? readInput(address, count, atMs) : readHolding(address, count);
		},
		write(address, written) {
			if (!isAligned(address, written.length) || !isInside(HOLDING_BLOCKS, address, written.length))
				return ILLEGAL_DATA_ADDRESS;
			for (let offset = 0; offset < written.length; offset += 2)
				if (!WRITABLE.has(address + offset)) return ILLEGAL_DATA_ADDRESS;
			const bytes = Buffer.alloc(written.length * 2);
			for (const [offset, word] of written.entries()) bytes.writeUInt16BE(word, offset * 2);
			for (let offset = 0; offset < written.length; offset += 2)
				settings.set(address + offset, bytes.readFloatBE(offset * 2));
			return null;
		},
	};
}
