import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import {
	ILLEGAL_DATA_ADDRESS,
	ILLEGAL_DATA_VALUE,
	ILLEGAL_FUNCTION,
	type RegisterImage,
	floatWords,
} from './register-image.ts';

/** How a unit treats requests. Registers keep living whatever it does. */
export type Behaviour =
	| { readonly kind: 'normal' }
	/** Never answers. */
	| { readonly kind: 'silent' }
	| { readonly kind: 'late'; readonly delayMs: number }
	/** Answers everything with this exception code, 1 to 255. */
	| { readonly kind: 'exception'; readonly exceptionCode: number }
	/** Answers with bytes that are no valid frame of the transport. */
	| { readonly kind: 'garbage' };

/** What came of one request. */
export interface LogEntry {
	readonly at: EpochMs;
	readonly unitId: number;
	readonly functionCode: number;
	readonly address: number;
	readonly count: number;
	readonly outcome: 'answered' | 'exception' | 'silent' | 'garbage';
}

/** What the transport has to send, and when. */
export interface Reply {
	readonly pdu: Buffer;
	readonly delayMs: number;
	readonly isGarbage: boolean;
}

/** The units behind one line: what they answer is decided here, how it travels by the transports. */
export interface ModbusSlave {
	has(unitId: number): boolean;
	/** The reply to a request PDU (function code and data); null: nothing is sent. */
	reply(unitId: number, pdu: Buffer): Reply | null;
	/** Makes a register pair read as this float32 until released. Function 4 (input registers) unless told. */
	override(unitId: number, address: number, value: number, functionCode?: 3 | 4): void;
	/** As `override`, with plain register values. */
	overrideWords(unitId: number, address: number, words: readonly number[], functionCode?: 3 | 4): void;
	/** Ends all overrides of a unit. */
	release(unitId: number): void;
	behave(unitId: number, behaviour: Behaviour): void;
	/** The last 10 000 requests, oldest first. */
	log(): readonly LogEntry[];
	/** All requests since the start, by outcome. */
	counts(): Readonly<Record<LogEntry['outcome'], number>>;
}

const LOG_LIMIT = 10_000;
/** Most registers of one write, functions 16 (Modbus application protocol, 6.12). */
const MAX_REGISTERS_PER_WRITE = 123;

const exceptionPdu = (functionCode: number, exceptionCode: number): Buffer =>
	Buffer.from([functionCode | 0x80, exceptionCode]);

interface Unit {
	readonly image: RegisterImage;
	readonly overrides: Map<string, number>;
	behaviour: Behaviour;
}

function readPdu(unit: Unit, functionCode: 3 | 4, pdu: Buffer, atMs: number): Buffer {
	if (pdu.length !== 5) return exceptionPdu(functionCode, ILLEGAL_DATA_VALUE);
	const address = pdu.readUInt16BE(1);
	const count = pdu.readUInt16BE(3);
	if (address + count > 0x1_0000) return exceptionPdu(functionCode, ILLEGAL_DATA_ADDRESS);
	const words = unit.image.read(functionCode, address, count, atMs);
	if (typeof words === 'number') return exceptionPdu(functionCode, words);
	const reply = Buffer.alloc(2 + words.length * 2);
	reply[0] = functionCode;
	reply[1] = words.length * 2;
	for (const [offset, word] of words.entries()) {
		reply.writeUInt16BE(unit.overrides.get(`${functionCode}:${address + offset}`) ?? word, 2 + offset * 2);
	}
	return reply;
}

function writePdu(unit: Unit, pdu: Buffer): Buffer {
	const count = pdu.length >= 6 ? pdu.readUInt16BE(3) : 0;
	const isWellFormed = count >= 1 && count <= MAX_REGISTERS_PER_WRITE && pdu[5] === count * 2;
	if (!isWellFormed || pdu.length !== 6 + count * 2) return exceptionPdu(16, ILLEGAL_DATA_VALUE);
	const words = Array.from({ length: count }, (_, index) => pdu.readUInt16BE(6 + index * 2));
	const refusal = unit.image.write(pdu.readUInt16BE(1), words);
	return refusal === null ? Buffer.from(pdu.subarray(0, 5)) : exceptionPdu(16, refusal);
}

/** Function 6: the reply repeats the request (Modbus application protocol, 6.6). */
function writeOnePdu(unit: Unit, pdu: Buffer): Buffer {
	if (pdu.length !== 5) return exceptionPdu(6, ILLEGAL_DATA_VALUE);
	const refusal = unit.image.write(pdu.readUInt16BE(1), [pdu.readUInt16BE(3)]);
	return refusal === null ? Buffer.from(pdu) : exceptionPdu(6, refusal);
}

function normalPdu(unit: Unit, pdu: Buffer, atMs: number): Buffer {
	const functionCode = pdu[0] ?? 0;
	if (functionCode === 3 || functionCode === 4) return readPdu(unit, functionCode, pdu, atMs);
	if (functionCode === 6) return writeOnePdu(unit, pdu);
	if (functionCode === 16) return writePdu(unit, pdu);
	return exceptionPdu(functionCode, ILLEGAL_FUNCTION);
}

export interface ModbusSlaveDeps {
	readonly clock: Clock;
	/** The devices by unit id, 1 to 247. */
	readonly images: ReadonlyMap<number, RegisterImage>;
}

export function createModbusSlave({ clock, images }: ModbusSlaveDeps): ModbusSlave {
	const units = new Map<number, Unit>(
		[...images].map(([unitId, image]) => [unitId, { image, overrides: new Map(), behaviour: { kind: 'normal' } }]),
	);
	const entries: LogEntry[] = [];
	const counts = { answered: 0, exception: 0, silent: 0, garbage: 0 };

	function unitOf(unitId: number): Unit {
		const unit = units.get(unitId);
		if (unit === undefined) throw new RangeError(`there is no unit ${unitId} on this line`);
		return unit;
	}

	function note(unitId: number, pdu: Buffer, outcome: LogEntry['outcome']): void {
		counts[outcome] += 1;
		if (entries.length >= LOG_LIMIT) entries.splice(0, LOG_LIMIT / 10);
		const hasRange = pdu.length >= 5;
		entries.push({
			at: clock.now(),
			unitId,
			functionCode: pdu[0] ?? 0,
			address: hasRange ? pdu.readUInt16BE(1) : 0,
			count: hasRange ? pdu.readUInt16BE(3) : 0,
			outcome,
		});
	}

	/** The reply when the unit's behaviour lets it answer at all. */
	function answer(unit: Unit, request: Buffer): Reply {
		const { behaviour } = unit;
		const pdu =
			behaviour.kind === 'exception'
				? exceptionPdu(request[0] ?? 0, behaviour.exceptionCode)
				: normalPdu(unit, request, clock.now());
		const delayMs = behaviour.kind === 'late' ? behaviour.delayMs : 0;
		return { pdu, delayMs, isGarbage: behaviour.kind === 'garbage' };
	}

	const overrideWords: ModbusSlave['overrideWords'] = (unitId, address, words, functionCode = 4) => {
		const { overrides } = unitOf(unitId);
		for (const [offset, word] of words.entries()) overrides.set(`${functionCode}:${address + offset}`, word);
	};

	return {
		has: (unitId) => units.has(unitId),
		reply(unitId, pdu) {
			const unit = unitOf(unitId);
			if (unit.behaviour.kind === 'silent') {
				note(unitId, pdu, 'silent');
				return null;
			}
			const reply = answer(unit, pdu);
			const isException = ((reply.pdu[0] ?? 0) & 0x80) !== 0;
			note(unitId, pdu, reply.isGarbage ? 'garbage' : isException ? 'exception' : 'answered');
			return reply;
		},
		override(unitId, address, value, functionCode = 4) {
			overrideWords(unitId, address, floatWords(value), functionCode);
		},
		overrideWords,
		release: (unitId) => unitOf(unitId).overrides.clear(),
		behave(unitId, behaviour) {
			unitOf(unitId).behaviour = behaviour;
		},
		log: () => [...entries],
		counts: () => ({ ...counts }),
	};
}
