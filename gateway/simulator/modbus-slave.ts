import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import { type RegisterImage, floatWords } from './register-image.ts';
import { answerPdu, exceptionPdu } from './slave-pdu.ts';

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
interface Unit {
	/** Its registers, with the overrides. */
	readonly shown: RegisterImage;
	readonly overrides: Map<string, number>;
	behaviour: Behaviour;
}

/** The registers of a unit as they read with its overrides. */
function overridden(image: RegisterImage, overrides: ReadonlyMap<string, number>): RegisterImage {
	return {
		...image,
		read(functionCode, address, count, atMs) {
			const words = image.read(functionCode, address, count, atMs);
			if (typeof words === 'number' || overrides.size === 0) return words;
			return words.map((word, offset) => overrides.get(`${functionCode}:${address + offset}`) ?? word);
		},
	};
}

export interface ModbusSlaveDeps {
	readonly clock: Clock;
	/** The devices by unit id, 1 to 247. */
	readonly images: ReadonlyMap<number, RegisterImage>;
}

export function createModbusSlave({ clock, images }: ModbusSlaveDeps): ModbusSlave {
	const units = new Map<number, Unit>(
		[...images].map(([unitId, image]) => {
			const overrides = new Map<string, number>();
			const unit = { overrides, shown: overridden(image, overrides), behaviour: { kind: 'normal' } } as const;
			return [unitId, { ...unit }];
		}),
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
				: answerPdu(unit.shown, request, clock.now());
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
