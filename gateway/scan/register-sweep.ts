import type { ReadFunction } from '../../config/template/template.ts';
import { readsBits } from '../driver/modbus/plan/line-cost.ts';
import { MAX_BITS_PER_READ, MAX_REGISTERS_PER_READ } from '../driver/modbus/wire/modbus-line.ts';
import { ADDRESSES } from './address-meanings.ts';
import { type AddressSpan, createCapSearch, type SweepAsk } from './cap-search.ts';

/** Which part of a table answers. */
export interface SweepFindings {
	readonly answered: readonly AddressSpan[];
	/** Reads there were neither answered nor refused. */
	readonly silent: readonly AddressSpan[];
	/** Most entries one read brought. */
	readonly mostPerRead: number;
	/** Whether one more was refused where all of them are there; false: the device may take more. */
	readonly isCapKnown: boolean;
	/** Single registers are refused and whole pairs answered: values are 32 bits wide. */
	readonly answersPairsOnly: boolean;
}

/**
 * Finds the addresses that a device answers. It says what to read next and is told what came of it, one read at a time; it never asks for
 * more than the specification allows, nor beyond address 65535.
 */
export interface RegisterSweep {
	/** `null`: done. */
	next(): SweepAsk | null;
	answered(ask: SweepAsk): void;
	/** The device says that it has no such addresses, or not so many at once (exceptions 2, 3 and the like). */
	refused(ask: SweepAsk): void;
	silent(ask: SweepAsk): void;
	/** Addresses whose fate is known, and all of them. */
	readonly done: number;
	readonly total: number;
	findings(): SweepFindings;
}

export interface RegisterSweepOptions extends AddressSpan {
	readonly functionCode: ReadFunction;
	/**
	 * True: every refused address was asked for by itself. False: in a desert of 256 refused addresses only each fourth pair is; what
	 * lies alone in a desert may be missed, for a tenth of the time.
	 */
	readonly isThorough: boolean;
}

/** What is known of an address. */
const UNKNOWN = 0;
const ANSWERS = 1;
const REFUSED = 2;
const SILENT = 3;

/** Largest first block; a multiple of the widest value (4 registers), so that no block cuts one in two. */
const FIRST_BLOCK = { registers: 120, bits: 1984 } as const;

/** Refused addresses in a row that make a desert, and the part of it that one sample stands for. */
const DESERT = 256;
const DESERT_LEAF = 8;

/** Part that is given up when it is silent; it doubles after so many in a row, while nothing but silence comes. */
const SILENT_LEAF = 16;
const SILENT_LEAVES = 8;

/** Refused blocks whose halves were answered, in a row, after which blocks are made smaller. */
const SUSPICIONS = 2;

interface Split {
	readonly half: number;
	/** Halves that were answered in one read. */
	answeredHalves: number;
}

/** Addresses that wait to be asked for. `end` is exclusive. */
interface Block {
	readonly start: number;
	readonly end: number;
	readonly of: Split | null;
	/** `sample`: it stands for its leaf up to this end. `rescue`: a pair across two aligned ones. */
	readonly role: 'part' | 'rescue' | { readonly sampleOf: number };
}

const sizeOf = ({ start, end }: Block): number => end - start;

/** Half of a size, at the boundary of a value where there is one. */
function halfOf(size: number): number {
	const step = size > 4 ? 4 : size > 2 ? 2 : 1;
	return Math.ceil(size / 2 / step) * step;
}

function spansOf(marks: Uint8Array, mark: number): readonly AddressSpan[] {
	const spans: AddressSpan[] = [];
	for (let first = marks.indexOf(mark); first !== -1;) {
		let last = first;
		while (marks[last + 1] === mark) last += 1;
		spans.push({ first, last });
		first = marks.indexOf(mark, last + 1);
	}
	return spans;
}

export function createRegisterSweep({ functionCode, first, last, isThorough }: RegisterSweepOptions): RegisterSweep {
	const isBits = readsBits(functionCode);
	const most = isBits ? MAX_BITS_PER_READ : MAX_REGISTERS_PER_READ;
	const marks = new Uint8Array(ADDRESSES);
	const waiting: Block[] = [];
	const total = last - first + 1;
	let cursor = first;
	let limit: number = isBits ? FIRST_BLOCK.bits : FIRST_BLOCK.registers;
	let done = 0;
	let suspicions = 0;
	let refusedRun = 0;
	let silentLeaf = SILENT_LEAF;
	let silentLeaves = 0;
	let mostPerRead = 0;
	let isSingleAnswered = false;
	let isSingleRefused = false;
	let asked: Block | null = null;
	let caps: ReturnType<typeof createCapSearch> | null = null;

	function mark(start: number, end: number, as: number): void {
		for (let at = start; at < end; at += 1) {
			if (marks[at] === UNKNOWN && at >= first && at <= last) done += 1;
			// What has answered once is there, whatever a later read of another shape says.
			if (marks[at] !== ANSWERS) marks[at] = as;
		}
	}

	const push = (start: number, end: number, of: Split | null, role: Block['role'] = 'part'): void => {
		if (start < end && end <= ADDRESSES) waiting.push({ start, end, of, role });
	};

	/** The next block in order; the first of an odd start is one address long, so that the others are aligned. */
	function supply(): void {
		if (cursor > last) return;
		const end = cursor % 2 === 1 ? cursor + 1 : Math.min(cursor + limit, last + 1);
		push(cursor, end, null);
		cursor = end;
	}

	function split(block: Block): void {
		const half = halfOf(sizeOf(block));
		const of: Split = { half, answeredHalves: 0 };
		push(block.start + half, block.end, of);
		push(block.start, block.start + half, of);
	}

	/** A refused block whose halves are fine was too long for the device, or lies across a border inside it. */
	function suspect({ of }: Block): void {
		if (of === null) return;
		of.answeredHalves += 1;
		if (of.answeredHalves < 2) return;
		suspicions += 1;
		if (suspicions >= SUSPICIONS && of.half < limit && of.half >= 2) limit = of.half;
	}

	function onAnswer(block: Block): void {
		const size = sizeOf(block);
		mostPerRead = Math.max(mostPerRead, size);
		refusedRun = 0;
		silentLeaf = SILENT_LEAF;
		silentLeaves = 0;
		if (size === 1) isSingleAnswered = true;
		if (block.of === null && size === limit) suspicions = 0;
		mark(block.start, block.end, ANSWERS);
		suspect(block);
		if (typeof block.role !== 'object') return;
		push(block.end, block.role.sampleOf, null);
		// What was taken for desert just before may be the beginning of it.
		push(Math.max(first, block.start - DESERT_LEAF), block.start, null);
	}

	/** A register that is refused by itself may be half of a value that is only read whole. */
	function onSingleRefused({ start }: Block): void {
		isSingleRefused = true;
		mark(start, start + 1, REFUSED);
		refusedRun += 1;
		const isLaterHalf = start % 2 === 1;
		if (!isBits && !isSingleAnswered && isLaterHalf && start < last) push(start, start + 2, null, 'rescue');
	}

	function onRefusal(block: Block): void {
		const size = sizeOf(block);
		if (block.role === 'rescue') return;
		if (typeof block.role === 'object') {
			mark(block.start, block.role.sampleOf, REFUSED);
			refusedRun += block.role.sampleOf - block.start;
		} else if (size === 1) {
			onSingleRefused(block);
		} else if (!isThorough && refusedRun >= DESERT && size <= DESERT_LEAF && size > 2) {
			push(block.start, block.start + 2, null, { sampleOf: block.end });
		} else {
			split(block);
		}
	}

	function onSilence(block: Block): void {
		if (block.role === 'rescue') return;
		const end = typeof block.role === 'object' ? block.role.sampleOf : block.end;
		if (end - block.start > silentLeaf) {
			split(block);
			return;
		}
		silentLeaves += 1;
		if (silentLeaves % SILENT_LEAVES === 0) silentLeaf = Math.min(2 * silentLeaf, limit);
		mark(block.start, end, SILENT);
	}

	/** The longest stretch that answers tells how much one read may bring. */
	function beginCaps(): ReturnType<typeof createCapSearch> {
		const spans = spansOf(marks, ANSWERS);
		const longest = spans.reduce<AddressSpan | null>(
			(best, span) => (best === null || span.last - span.first > best.last - best.first ? span : best),
			null,
		);
		return createCapSearch({ span: longest, known: mostPerRead, most });
	}

	/** Tells whoever asked what came of it; once. */
	function settle(ask: SweepAsk, inSweep: (block: Block) => void, isAnswered: boolean): void {
		const block = asked;
		asked = null;
		if (block !== null) inSweep(block);
		else caps?.settle(ask.count, isAnswered);
	}

	return {
		next() {
			if (waiting.length === 0) supply();
			asked = waiting.pop() ?? null;
			if (asked !== null) return { address: asked.start, count: sizeOf(asked) };
			caps ??= beginCaps();
			return caps.next();
		},
		answered: (ask) => settle(ask, onAnswer, true),
		refused: (ask) => settle(ask, onRefusal, false),
		silent: (ask) => settle(ask, onSilence, false),
		get done() {
			return done;
		},
		total,
		findings: () => ({
			answered: spansOf(marks, ANSWERS),
			silent: spansOf(marks, SILENT),
			mostPerRead: Math.max(mostPerRead, caps?.best ?? 0),
			isCapKnown: caps?.isKnown ?? false,
			answersPairsOnly: isSingleRefused && !isSingleAnswered && mostPerRead >= 2,
		}),
	};
}
