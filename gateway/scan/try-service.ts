import type { Line } from '../../config/connection/connection.ts';
import type { ReadFunction } from '../../config/template/template.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import { readsBits } from '../driver/modbus/plan/line-cost.ts';
import { exceptionText, ModbusFault } from '../driver/modbus/wire/modbus-fault.ts';
import { MAX_BITS_PER_READ, MAX_REGISTERS_PER_READ } from '../driver/modbus/wire/modbus-line.ts';
import { ADDRESSES, type AddressPlace, placesOf } from './address-meanings.ts';
import { type Decoding, everyDecoding } from './every-decoding.ts';
import type { ScanLine, ScanLines } from './scan-line.ts';

/** A register that somebody wants to see before there is a template for it. */
export interface TryRequest {
	readonly line: Line;
	readonly unitId: number;
	readonly functionCode: ReadFunction;
	/** The number in the manual; all its meanings are tried. */
	readonly address: number;
	/** Registers or bits. */
	readonly count: number;
	readonly timeoutMs: number;
	/** The number on the display of the device, if there is one. */
	readonly expect?: number | undefined;
}

/** One read that was made, and what came of it. */
export interface TriedRead {
	/** Protocol address. */
	readonly address: number;
	readonly count: number;
	/** Registers, or bits as 0 and 1; empty when none came. */
	readonly words: readonly number[];
	/** `null`: no data came. */
	readonly latencyMs: number | null;
	readonly exception: { readonly code: number; readonly text: string } | null;
	/** Why no data came; `null` when it did. */
	readonly error: string | null;
}

export interface TryResult {
	readonly line: string;
	readonly places: readonly AddressPlace[];
	/** In the order in which they were made. */
	readonly reads: readonly TriedRead[];
	/** The likeliest first. */
	readonly decodings: readonly Decoding[];
}

export interface TryRegister {
	/**
	 * @param signal ends it: what is on the wire runs to its end, nothing else is asked
	 * @throws Fault when the line cannot be used or the signal came; what the device refuses or does not answer is part of the result
	 */
	read(request: TryRequest, signal?: AbortSignal): Promise<TryResult>;
}

/** Addresses that are read at once. */
interface Window {
	readonly address: number;
	readonly count: number;
}

/** Neighbouring places in one read where that is possible, and each by itself where the device refuses it. */
interface WindowPlan {
	readonly whole: Window;
	readonly parts: readonly Window[];
}

function windowsOf(places: readonly AddressPlace[], count: number, most: number): readonly WindowPlan[] {
	const plans: WindowPlan[] = [];
	const left = new Set(places.map(({ address }) => address).filter((address) => address + count <= ADDRESSES));
	for (const address of left) {
		const parts: Window[] = [{ address, count }];
		const before = address - 1;
		// The literal place is read first, the one before it for the price of one more register.
		const isJoined = left.has(before) && count + 1 <= most;
		if (isJoined) {
			left.delete(before);
			parts.push({ address: before, count });
		}
		plans.push({ whole: isJoined ? { address: before, count: count + 1 } : { address, count }, parts });
		left.delete(address);
	}
	return plans;
}

/** Registers, or single bits, of the data bytes of an answer. */
function wordsOf(functionCode: ReadFunction, count: number, data: Buffer): readonly number[] {
	return Array.from({ length: count }, (_, k) =>
		readsBits(functionCode) ? (data.readUInt8(k >> 3) >> (k & 7)) & 1 : data.readUInt16BE(2 * k),
	);
}

/** The device gave no sign of life: what is not asked any more cannot time out either. */
const isSilence = ({ exception, error }: TriedRead): boolean => error !== null && exception === null;

/** A read over the line that was lent for it. */
type Ask = (window: Window) => Promise<TriedRead>;

async function ask(
	line: ScanLine,
	request: TryRequest,
	{ address, count }: Window,
	signal?: AbortSignal,
): Promise<TriedRead> {
	const { unitId, functionCode, timeoutMs } = request;
	try {
		const { data, latencyMs } = await line.request({ unitId, functionCode, address, count, timeoutMs }, signal);
		return { address, count, words: wordsOf(functionCode, count, data), latencyMs, exception: null, error: null };
	} catch (fault) {
		if (!(fault instanceof ModbusFault) || fault.failure === 'closed') throw fault;
		const { exceptionCode: code } = fault;
		const exception = code === null ? null : { code, text: exceptionText(code) };
		return { address, count, words: [], latencyMs: null, exception, error: messageOf(fault) };
	}
}

async function readAll(plans: readonly WindowPlan[], askFor: Ask): Promise<readonly TriedRead[]> {
	const reads: TriedRead[] = [];
	for (const { whole, parts } of plans) {
		const first = await askFor(whole);
		reads.push(first);
		if (first.error === null || parts.length === 1) continue;
		for (const part of parts) {
			const read = await askFor(part);
			reads.push(read);
			if (isSilence(read)) return reads;
		}
	}
	return reads;
}

/** Reads one register in every meaning of its number and shows all that it could be. */
export function createTryRegister({ lines }: { readonly lines: Pick<ScanLines, 'share'> }): TryRegister {
	return {
		async read(request, signal) {
			const { functionCode, count, expect } = request;
			const places = placesOf(request.address, functionCode);
			const most = readsBits(functionCode) ? MAX_BITS_PER_READ : MAX_REGISTERS_PER_READ;
			const plans = windowsOf(places, count, most);
			if (plans.length === 0) {
				const rule = `${count} from ${request.address} end beyond address ${ADDRESSES - 1}, the last there is`;
				throw new Fault('rule-violation', `count: ${rule}`, { field: 'count' });
			}
			const line = await lines.share(request.line, 'test');
			try {
				const reads = await readAll(plans, (window) => ask(line, request, window, signal));
				const words = new Map(
					reads.flatMap(({ address, words: read }) => read.map((word, k) => [address + k, word] as const)),
				);
				return {
					line: line.name,
					places,
					reads,
					decodings: everyDecoding({ functionCode, places, count, words, expect }),
				};
			} finally {
				await line.release();
			}
		},
	};
}
