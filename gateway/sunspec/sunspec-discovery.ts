import { COMMON_MODEL, END_MODEL, HEADER_REGISTERS, type SunspecChain, type SunspecPlace } from './sunspec-model.ts';

/** Where the marker may be (SunSpec Device Information Model Specification 1.1, section 6.2), the usual place first. */
const BASES: readonly number[] = [40_000, 0, 50_000];
/** "SunS" */
const MARKER = Buffer.from('SunS');

/** More models than any device has; an aggregator repeats them for each of its devices. */
const MAX_MODELS = 200;
/** More registers than any device has in all of its models. */
const MAX_REGISTERS = 20_000;
const MAX_READ = 125;
/** A device that refuses this few refuses the place. */
const MIN_READ = 8;
const ADDRESS_COUNT = 65_536;

/** Reads holding registers (function 3); `null`: the device refused, or gave no answer. Faults of the line pass through. */
export type SunspecRead = (address: number, count: number) => Promise<Buffer | null>;

/** What a SunSpec device says of itself. */
export interface SunspecIdentity {
	/** Protocol address of the marker. */
	readonly base: number;
	readonly manufacturer: string;
	readonly model: string;
	readonly serialNumber: string;
	/** Numbers of the models it has, in their order. */
	readonly models: readonly number[];
}

/** Where the texts of the common model are: registers behind the header, and how many. */
const commonTexts = { manufacturer: [0, 16], model: [16, 16], serialNumber: [48, 16] } as const;

const wordsIn = (data: Buffer): readonly number[] =>
	Array.from({ length: data.length >> 1 }, (_, index) => data.readUInt16BE(2 * index));

/** The text in some registers: ASCII up to the first NUL; what cannot be shown is left out. */
function textIn(words: readonly number[], [first, count]: readonly [number, number]): string {
	const bytes = words.slice(first, first + count).flatMap((word) => [word >> 8, word & 0xff]);
	const end = bytes.indexOf(0);
	return String.fromCharCode(...(end === -1 ? bytes : bytes.slice(0, end)))
		.replaceAll(/[^\x20-\x7e]/g, '')
		.trim();
}

/** Who made the device, by its first common model. */
export function identityOf({ base, places }: SunspecChain): SunspecIdentity {
	const words = places.find(({ id }) => id === COMMON_MODEL)?.words ?? [];
	return {
		base,
		manufacturer: textIn(words, commonTexts.manufacturer),
		model: textIn(words, commonTexts.model),
		serialNumber: textIn(words, commonTexts.serialNumber),
		models: places.map(({ id }) => id),
	};
}

/** Why a header cannot be one; `null`: it can. */
function flawOf(id: number, address: number, length: number, total: number): string | null {
	const place = `at address ${address}`;
	if (id === 0 || length === 0) return `model ${id} ${place} has a length of ${length}`;
	if (address + HEADER_REGISTERS + length > ADDRESS_COUNT)
		return `model ${id} ${place} has a length of ${length}, which goes beyond the last address`;
	return total + length > MAX_REGISTERS
		? `the models have more than ${MAX_REGISTERS} registers, up to model ${id} ${place}`
		: null;
}

/** A reader that takes fewer registers at once when the device refuses many, and stays with that. */
function createBlockRead(read: SunspecRead) {
	let mostRegisters = MAX_READ;

	async function readPart(address: number, count: number): Promise<readonly number[] | null> {
		for (;;) {
			const asked = Math.min(count, mostRegisters);
			const data = await read(address, asked);
			if (data !== null && data.length === 2 * asked) return wordsIn(data);
			if (data !== null || asked <= MIN_READ) return null;
			// Not by half: a cap far below the true one would cut long texts off.
			mostRegisters = (asked * 3) >> 2;
		}
	}

	return {
		/** All registers of a block, or none. A block that is refused costs the others nothing. */
		async block(address: number, count: number): Promise<readonly number[] | null> {
			const before = mostRegisters;
			const words: number[] = [];
			while (words.length < count) {
				const part = await readPart(address + words.length, count - words.length);
				if (part === null) {
					mostRegisters = before;
					return null;
				}
				words.push(...part);
			}
			return words;
		},
		mostRegisters: () => mostRegisters,
	};
}

async function findBase(read: SunspecRead): Promise<number | null> {
	for (const base of BASES) {
		const data = await read(base, MARKER.length / 2);
		if (data?.equals(MARKER) === true) return base;
	}
	return null;
}

/** Walks from the marker to the end mark. `wants` says of which models the registers are read. */
async function walk(read: SunspecRead, base: number, wants: (id: number) => boolean): Promise<SunspecChain> {
	const blocks = createBlockRead(read);
	const places: SunspecPlace[] = [];
	let total = 0;
	let address = base + MARKER.length / 2;
	const chain = (cut: string | null): SunspecChain => ({
		base,
		places,
		maxRegisters: blocks.mostRegisters(),
		cut,
	});
	while (places.length < MAX_MODELS) {
		const header = address + HEADER_REGISTERS <= ADDRESS_COUNT ? await read(address, HEADER_REGISTERS) : null;
		if (header === null || header.length !== 2 * HEADER_REGISTERS)
			return chain(`the device does not answer at address ${address}, where a model or the end should be`);
		const id = header.readUInt16BE(0);
		const length = header.readUInt16BE(2);
		if (id === END_MODEL) return chain(null);
		const flaw = flawOf(id, address, length, total);
		if (flaw !== null) return chain(flaw);
		const words = wants(id) ? await blocks.block(address + HEADER_REGISTERS, length) : null;
		places.push({ id, address, length, words });
		total += length;
		address += HEADER_REGISTERS + length;
	}
	return chain(`the device has more than ${MAX_MODELS} models`);
}

/**
 * Looks for SunSpec models at 40000, 0 and 50000 and reads them all. `null`: the device has no marker. A chain that breaks off is
 * given as far as it goes, with the reason; nothing a device answers makes the walk endless.
 */
export async function discoverSunspec(read: SunspecRead): Promise<SunspecChain | null> {
	const base = await findBase(read);
	return base === null ? null : walk(read, base, () => true);
}

/** The same for who only wants to know what the device is: beside the headers only the common model is read. */
export async function identifySunspec(read: SunspecRead): Promise<SunspecIdentity | null> {
	const base = await findBase(read);
	return base === null ? null : identityOf(await walk(read, base, (id) => id === COMMON_MODEL));
}
