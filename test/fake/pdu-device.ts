/** A Modbus device in memory, written from the specification: request PDU in, answer PDU out. */
export interface PduDevice {
	readonly registers: Uint16Array;
	readonly coils: Uint8Array;
	/** Requests that were answered or refused, oldest first. */
	readonly asked: readonly Buffer[];
	/** @returns `null` when the device keeps silent */
	answer(pdu: Buffer): Buffer | null;
	/** What becomes of the next requests, in order: an exception code, or silence. */
	fail(...next: readonly (number | 'silence')[]): void;
}

/** Registers and coils of the device; whoever asks beyond gets exception 2. */
export const DEVICE_SIZE = 1000;

/** Objects of the device identification, by their number. */
export const DEVICE_OBJECTS: Readonly<Record<number, string>> = { 0: 'Acme', 1: 'AC-1', 2: '3.07' };
export const SERVER_ID = Buffer.from([0x2a, 0xff, 0x41, 0x43]);

const exception = (functionCode: number, code: number): Buffer => Buffer.from([functionCode | 0x80, code]);

class Refusal extends Error {
	readonly code: number;
	constructor(code: number) {
		super();
		this.code = code;
	}
}

function within(address: number, count: number, most: number): void {
	if (count < 1 || count > most) throw new Refusal(3);
	if (address + count > DEVICE_SIZE) throw new Refusal(2);
}

function packed(bits: Uint8Array): Buffer {
	const bytes = Buffer.alloc(Math.ceil(bits.length / 8));
	bits.forEach((bit, at) => {
		bytes.writeUInt8(bytes.readUInt8(at >> 3) | (bit << (at & 7)), at >> 3);
	});
	return Buffer.from([bytes.length, ...bytes]);
}

function words(registers: Uint16Array): Buffer {
	const bytes = Buffer.alloc(1 + 2 * registers.length);
	bytes.writeUInt8(2 * registers.length, 0);
	registers.forEach((word, at) => {
		bytes.writeUInt16BE(word, 1 + 2 * at);
	});
	return bytes;
}

/** Registers hold `7 n`, coils are on where `n % 3 = 0`, until somebody writes. */
export function createPduDevice(): PduDevice {
	const registers = Uint16Array.from({ length: DEVICE_SIZE }, (_, at) => 7 * at);
	const coils = Uint8Array.from({ length: DEVICE_SIZE }, (_, at) => (at % 3 === 0 ? 1 : 0));
	const asked: Buffer[] = [];
	const failures: (number | 'silence')[] = [];

	function readCoils(pdu: Buffer): Buffer {
		const [address, count] = [pdu.readUInt16BE(1), pdu.readUInt16BE(3)];
		within(address, count, 2000);
		return packed(coils.subarray(address, address + count));
	}
	function readRegisters(pdu: Buffer): Buffer {
		const [address, count] = [pdu.readUInt16BE(1), pdu.readUInt16BE(3)];
		within(address, count, 125);
		return words(registers.subarray(address, address + count));
	}
	function store(address: number, bytes: Buffer): void {
		for (let at = 0; at < bytes.length; at += 2) registers[address + at / 2] = bytes.readUInt16BE(at);
	}

	const functions: Readonly<Record<number, (pdu: Buffer) => Buffer>> = {
		1: readCoils,
		2: readCoils,
		3: readRegisters,
		4: readRegisters,
		5(pdu) {
			const value = pdu.readUInt16BE(3);
			within(pdu.readUInt16BE(1), 1, 1);
			if (value !== 0 && value !== 0xff00) throw new Refusal(3);
			coils[pdu.readUInt16BE(1)] = value === 0 ? 0 : 1;
			return pdu.subarray(1, 5);
		},
		6(pdu) {
			within(pdu.readUInt16BE(1), 1, 1);
			store(pdu.readUInt16BE(1), pdu.subarray(3, 5));
			return pdu.subarray(1, 5);
		},
		15(pdu) {
			const [address, count] = [pdu.readUInt16BE(1), pdu.readUInt16BE(3)];
			within(address, count, 1968);
			if (pdu.readUInt8(5) !== Math.ceil(count / 8) || pdu.length !== 6 + Math.ceil(count / 8)) throw new Refusal(3);
			for (let at = 0; at < count; at += 1) coils[address + at] = (pdu.readUInt8(6 + (at >> 3)) >> (at & 7)) & 1;
			return pdu.subarray(1, 5);
		},
		16(pdu) {
			const [address, count] = [pdu.readUInt16BE(1), pdu.readUInt16BE(3)];
			within(address, count, 123);
			if (pdu.readUInt8(5) !== 2 * count || pdu.length !== 6 + 2 * count) throw new Refusal(3);
			store(address, pdu.subarray(6));
			return pdu.subarray(1, 5);
		},
		17: () => Buffer.from([SERVER_ID.length, ...SERVER_ID]),
		22(pdu) {
			const [address, and, or] = [pdu.readUInt16BE(1), pdu.readUInt16BE(3), pdu.readUInt16BE(5)];
			within(address, 1, 1);
			registers[address] = ((registers[address] ?? 0) & and) | (or & ~and);
			return pdu.subarray(1, 7);
		},
		23(pdu) {
			const count = pdu.readUInt16BE(7);
			within(pdu.readUInt16BE(5), count, 121);
			within(pdu.readUInt16BE(1), pdu.readUInt16BE(3), 125);
			if (pdu.readUInt8(9) !== 2 * count || pdu.length !== 10 + 2 * count) throw new Refusal(3);
			store(pdu.readUInt16BE(5), pdu.subarray(10));
			return readRegisters(pdu);
		},
		43(pdu) {
			if (pdu.readUInt8(1) !== 14) throw new Refusal(1);
			const [readCode, first] = [pdu.readUInt8(2), pdu.readUInt8(3)];
			const all = Object.entries(DEVICE_OBJECTS).map(([id, text]) => ({ id: Number(id), text }));
			const chosen = all.filter(({ id }) => (readCode === 4 ? id === first : id >= first));
			if (chosen.length === 0) throw new Refusal(2);
			const objects = chosen.map(({ id, text }) => Buffer.concat([Buffer.from([id, text.length]), Buffer.from(text)]));
			return Buffer.concat([Buffer.from([14, readCode, 0x81, 0, 0, objects.length]), ...objects]);
		},
	};

	function answer(pdu: Buffer): Buffer | null {
		asked.push(Buffer.from(pdu));
		const functionCode = pdu.readUInt8(0);
		const failure = failures.shift();
		if (failure === 'silence') return null;
		if (failure !== undefined) return exception(functionCode, failure);
		const perform = functions[functionCode];
		if (perform === undefined) return exception(functionCode, 1);
		try {
			return Buffer.concat([Buffer.from([functionCode]), perform(pdu)]);
		} catch (error) {
			if (error instanceof Refusal) return exception(functionCode, error.code);
			throw error;
		}
	}

	return {
		registers,
		coils,
		asked,
		answer,
		fail(...next) {
			failures.push(...next);
		},
	};
}
