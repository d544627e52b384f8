import type { DeviceTemplate, TemplatePoint } from '../../config/template/template.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import { createReadDecoder } from '../driver/modbus/codec/register-decoder.ts';
import { scaledByTens } from '../driver/modbus/codec/linear-scale.ts';
import { createScaleFactors, factorNote } from '../driver/modbus/codec/scale-factors.ts';
import { readsBits } from '../driver/modbus/plan/line-cost.ts';
import { ModbusFault } from '../driver/modbus/wire/modbus-fault.ts';
import type { ModbusAnswer, ModbusChange, ModbusExchange, ModbusRequest } from '../driver/modbus/wire/modbus-line.ts';
import { isReadWhereWritten, isRegister } from './write-block.ts';
import { type PlannedWrite, stepRequest, type StepPart, type StepRequest, type WriteStep } from './write-plan.ts';

/** What was written; `read` is what the device held afterwards, of points that are read back. */
export interface WrittenPoint {
	readonly point: string;
	readonly value: JsonValue;
	readonly read?: JsonValue;
}

/** The device took a value and holds another one. */
export class NotHeldFault extends Fault {
	readonly written: readonly WrittenPoint[];

	constructor(message: string, written: readonly WrittenPoint[]) {
		super('state-conflict', message);
		this.written = written;
	}
}

/** Where and how a device is written to. */
export interface StepTarget {
	readonly unitId: number;
	readonly timeoutMs: number;
	/** Silence around a change, ms. */
	readonly guardMs: number;
	/** Most registers and bits of one read. */
	readonly template: Pick<DeviceTemplate, 'maxRegistersPerRead' | 'maxBitsPerRead'>;
	readonly ask: (exchange: ModbusExchange) => Promise<ModbusAnswer>;
}

const UNKNOWN = 'whether the device has taken the value is not known';
const NOTHING = 'nothing was written';

/**
 * Exceptions after which a device may have carried out a write all the same (1.1b3, section 7): it failed midway, it is still at it, or a
 * gateway before it heard nothing from it.
 */
const OPEN_ENDS: ReadonlySet<number> = new Set([4, 5, 11]);

const isCertain = (fault: unknown): boolean =>
	fault instanceof ModbusFault
		? fault.exceptionCode !== null && !OPEN_ENDS.has(fault.exceptionCode)
		: fault instanceof Fault;

/** An exception is the device's own word; without one, a write may have been carried out all the same. */
const whyFailed = (fault: unknown): string => (isCertain(fault) ? messageOf(fault) : `${messageOf(fault)}; ${UNKNOWN}`);

const jsonOf = (value: unknown): JsonValue => {
	if (typeof value === 'bigint') return String(value);
	return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string' ? value : null;
};

/** The words of an answer: registers, or coils of 0 and 1. */
function wordsOf(data: Buffer, isBits: boolean, count: number): readonly number[] {
	return Array.from({ length: count }, (_, at) =>
		isBits ? (data.readUInt8(at >> 3) >> (at & 7)) & 1 : data.readUInt16BE(2 * at),
	);
}

function bytesOf(words: readonly number[]): Buffer {
	const bytes = Buffer.alloc(2 * words.length);
	words.forEach((word, at) => bytes.writeUInt16BE(word, 2 * at));
	return bytes;
}

type Exponents = ReadonlyMap<string, number>;

/** The value that a point's words stand for. */
function valueOf(point: TemplatePoint, words: readonly number[], exponents: Exponents): unknown {
	if (!isRegister(point)) return words[0] === 1;
	const { scaleFactor, ...plain } = point;
	const settled = { ...plain, scale: scaledByTens(point.scale, exponents.get(scaleFactor ?? '') ?? 0) };
	const { functionCode, address, count, key } = point;
	const decode = createReadDecoder({ functionCode, address, count, points: [settled], keys: [key] });
	return decode(bytesOf(words)).values[0] ?? null;
}

/** Whether a device holds what was written: the same bits, or others that mean the same. */
function isHeld(point: TemplatePoint, { words, masks }: StepPart, held: readonly number[], exponents: Exponents) {
	if (held.every((word, at) => (word & (masks[at] ?? 0)) === words[at])) return true;
	const value = valueOf(point, held, exponents);
	return value !== null && value === valueOf(point, words, exponents);
}

const WHOLE = 0xffff;

/** Whether bits of the registers, or coils, are not given and have to be kept: the device does it itself with function 22. */
const isPartial = ({ functionCode, masks }: StepRequest, whole: number): boolean =>
	functionCode !== 22 && masks.some((mask) => mask !== whole);

function changeOf(request: StepRequest, base: readonly number[] | null, target: StepTarget): ModbusChange {
	const { functionCode, address, masks } = request;
	const { unitId, timeoutMs, guardMs } = target;
	const common = { unitId, timeoutMs, guardMs, address };
	const words = request.words.map((word, at) => ((base?.[at] ?? 0) & ~(masks[at] ?? 0)) | word);
	if (functionCode === 22) return { ...common, functionCode, andMask: ~(masks[0] ?? 0) & WHOLE, orMask: words[0] ?? 0 };
	if (functionCode === 23) return { ...common, functionCode, writeAddress: address, count: words.length, words };
	return { ...common, functionCode, words };
}

/**
 * Carries out one step: reads what has to be known before, writes once, reads back what the template wants verified or what was put together
 * from an earlier read.
 * @throws Fault whose sentence says what became of it; `NotHeldFault` when the device holds another value afterwards
 */
export function createStepWriter(target: StepTarget) {
	const { unitId, timeoutMs, template, ask } = target;

	async function readWords(
		functionCode: ModbusRequest['functionCode'],
		address: number,
		count: number,
	): Promise<readonly number[]> {
		const { data } = await ask({ unitId, timeoutMs, functionCode, address, count });
		return wordsOf(data, readsBits(functionCode), count);
	}

	async function exponentsOf({ factors }: WriteStep): Promise<Exponents> {
		const known = createScaleFactors();
		const exponents = new Map<string, number>();
		for (const point of factors) {
			const { key, functionCode, address, count } = point;
			factorNote(point, 0, known)(bytesOf(await readWords(functionCode, address, count)));
			const exponent = known.of(key) ?? null;
			if (exponent === null) throw new Fault('rule-violation', `scale factor ${key} holds no exponent`);
			exponents.set(key, exponent);
		}
		return exponents;
	}

	/** What the registers of a request hold now, where some of it has to stay; `null`: all of it is given. */
	async function baseOf({ writes }: WriteStep, request: StepRequest): Promise<readonly number[] | null> {
		const isRegisters = writes.some(({ point }) => isRegister(point));
		const whole = isRegisters ? WHOLE : 1;
		if (!isPartial(request, whole)) return null;
		const { length: count } = request.words;
		const most = isRegisters ? template.maxRegistersPerRead : (template.maxBitsPerRead ?? count);
		const apart = writes.find(
			({ point }, index) =>
				!isReadWhereWritten(point) && request.parts[index]?.masks.some((mask) => mask !== whole) === true,
		);
		if (apart !== undefined)
			throw new Fault(
				'rule-violation',
				`${apart.point.key} cannot be read where it is written, so that the rest is kept`,
			);
		if (count > most)
			throw new Fault('rule-violation', `one read of the device carries ${most}, and ${count} have to be kept`);
		return readWords(isRegisters ? 3 : 1, request.address, count);
	}

	async function prepared(step: WriteStep) {
		try {
			const exponents = await exponentsOf(step);
			const request = stepRequest(step, exponents);
			return { exponents, request, base: await baseOf(step, request) };
		} catch (error) {
			throw new Fault('state-conflict', `${messageOf(error)}; ${NOTHING}`);
		}
	}

	async function sent(change: ModbusChange): Promise<Buffer> {
		try {
			return (await ask(change)).data;
		} catch (error) {
			throw new Fault('unreachable', whyFailed(error));
		}
	}

	/** The words that the device holds for a point now; `answered` is what function 23 has read behind its write. */
	async function heldBy({ point }: PlannedWrite, { at, words }: StepPart, answered: readonly number[] | null) {
		if (answered !== null && isReadWhereWritten(point)) return answered.slice(at, at + words.length);
		try {
			return await readWords(point.functionCode, point.address, point.count);
		} catch (error) {
			throw new Fault('unreachable', `the device took ${point.key}, which could not be read back: ${messageOf(error)}`);
		}
	}

	return async (step: WriteStep): Promise<readonly WrittenPoint[]> => {
		const { exponents, request, base } = await prepared(step);
		const data = await sent(changeOf(request, base, target));
		const answered = request.functionCode === 23 ? wordsOf(data, false, request.words.length) : null;
		const written: WrittenPoint[] = [];
		let wrong: string | null = null;
		for (const [index, write] of step.writes.entries()) {
			const { point, value } = write;
			const part = request.parts[index];
			const isVerified = (point.write?.verify === true || base !== null) && point.access !== 'w';
			if (part === undefined || !isVerified) {
				written.push({ point: point.key, value: jsonOf(value) });
				continue;
			}
			const held = await heldBy(write, part, answered);
			const read = jsonOf(valueOf(point, held, exponents));
			written.push({ point: point.key, value: jsonOf(value), read });
			if (!isHeld(point, part, held, exponents))
				wrong ??= `the device took ${JSON.stringify(value)} for ${point.key}, and holds ${JSON.stringify(read)}`;
		}
		if (wrong !== null) throw new NotHeldFault(wrong, written);
		return written;
	};
}
