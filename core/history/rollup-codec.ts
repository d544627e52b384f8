import { type ByteReader, createByteReader, malformed } from '../journal/byte-reader.ts';
import { type ByteWriter, createByteWriter } from '../journal/byte-writer.ts';
import type { NumberRollup, Rollup, StateRollup, TextRollup, TruthRollup, Turns } from './rollup.ts';
import { readNumerics, writeNumerics } from './rollup-column.ts';
import type { Numeric } from './rollup-counter.ts';

/** Rollups of one point by slot; `null` where it has no sample. */
export type SlotRollups = readonly (Rollup | null)[];

/** What is kept of a point in one record. */
export interface PointRollups {
	/** Its template says that it is a counter. */
	readonly isCounter: boolean;
	readonly slots: SlotRollups;
}

const FLAG = { bad: 1, other: 2, numbers: 4, truths: 8, texts: 16, turns: 32, turned: 64, rest: 128 } as const;

const has = <T>(value: T | null): value is T => value !== null;

const flagIf = (flag: number, isSet: boolean): number => (isSet ? flag : 0);

/** One bit for each entry. */
function writeMask(writer: ByteWriter, mask: readonly boolean[]): void {
	for (let from = 0; from < mask.length; from += 8) {
		let byte = 0;
		for (let bit = 0; bit < 8; bit += 1) if (mask[from + bit] === true) byte |= 1 << bit;
		writer.u8(byte);
	}
}

function readMask(reader: ByteReader, length: number): readonly boolean[] {
	const mask: boolean[] = [];
	for (let from = 0; from < length; from += 8) {
		const byte = reader.u8();
		for (let bit = 0; bit < 8 && from + bit < length; bit += 1) mask.push((byte & (1 << bit)) !== 0);
	}
	return mask;
}

interface Part {
	readonly count: number;
	readonly firstAt: number;
	readonly lastAt: number;
}

/** Number and instants of what the mask names; instants from the slot's start on. */
function writeSpans(writer: ByteWriter, parts: readonly (Part | null)[], starts: readonly number[]): readonly Part[] {
	writeMask(writer, parts.map(has));
	for (const [index, part] of parts.entries()) {
		if (part === null) continue;
		writer.varint(part.count);
		writer.signed(part.firstAt - (starts[index] ?? 0));
		writer.varint(part.lastAt - part.firstAt);
	}
	return parts.filter(has);
}

function readSpans(reader: ByteReader, starts: readonly number[]): readonly (Part | null)[] {
	return readMask(reader, starts.length).map((isThere, index) => {
		if (!isThere) return null;
		const count = reader.varint();
		const firstAt = (starts[index] ?? 0) + reader.signed();
		return { count, firstAt, lastAt: firstAt + reader.varint() };
	});
}

function writeNumbers(
	writer: ByteWriter,
	parts: readonly (NumberRollup | null)[],
	starts: readonly number[],
	flags: number,
): void {
	writeSpans(writer, parts, starts);
	const present = parts.filter(has);
	for (const name of ['min', 'max', 'first', 'last', 'sum'] as const)
		writeNumerics(
			writer,
			present.map((part) => part[name]),
		);
	if ((flags & FLAG.rest) !== 0)
		writeNumerics(
			writer,
			present.map(({ rest }) => Math.fround(rest)),
		);
	if ((flags & FLAG.turns) !== 0)
		writeMask(
			writer,
			present.map(({ turns }) => turns !== null),
		);
	if ((flags & FLAG.turned) === 0) return;
	writeNumerics(
		writer,
		present.map(({ turns }) => turns?.correction ?? 0),
	);
	for (const { turns } of present) writer.varint(turns?.resets ?? 0);
}

const at = (column: readonly Numeric[], index: number): Numeric => column[index] ?? 0;

/** What is known of the turns of each counted part. */
function readTurns(reader: ByteReader, count: number, flags: number): readonly (Turns | null)[] {
	if ((flags & FLAG.turns) === 0) return [];
	const mask = readMask(reader, count);
	const isTurned = (flags & FLAG.turned) !== 0;
	const corrections = isTurned ? readNumerics(reader, count) : [];
	const resets = isTurned ? corrections.map(() => reader.varint()) : [];
	return mask.map((isCounted, index) =>
		isCounted ? { correction: at(corrections, index), resets: resets[index] ?? 0 } : null,
	);
}

function readNumbers(reader: ByteReader, starts: readonly number[], flags: number): readonly (NumberRollup | null)[] {
	const spans = readSpans(reader, starts);
	const count = spans.filter(has).length;
	const min = readNumerics(reader, count);
	const max = readNumerics(reader, count);
	const first = readNumerics(reader, count);
	const last = readNumerics(reader, count);
	const sum = readNumerics(reader, count);
	const rest = (flags & FLAG.rest) === 0 ? [] : readNumerics(reader, count);
	const turns = readTurns(reader, count, flags);
	let next = -1;
	return spans.map((span) => {
		if (span === null) return null;
		next += 1;
		return {
			count: span.count,
			min: at(min, next),
			max: at(max, next),
			sum: Number(at(sum, next)),
			rest: Number(at(rest, next)),
			firstAt: span.firstAt,
			first: at(first, next),
			lastAt: span.lastAt,
			last: at(last, next),
			turns: turns[next] ?? null,
		};
	});
}

function writeStates<T>(
	writer: ByteWriter,
	parts: readonly (StateRollup<T> | null)[],
	starts: readonly number[],
	write: (part: StateRollup<T>) => void,
): void {
	writeSpans(writer, parts, starts);
	for (const part of parts) {
		if (part === null) continue;
		writer.varint(part.changes);
		write(part);
	}
}

const readTruth = (reader: ByteReader) => {
	const bits = reader.u8();
	return { first: (bits & 1) !== 0, last: (bits & 2) !== 0, trues: reader.varint() };
};

const readStates = <T extends object>(
	reader: ByteReader,
	starts: readonly number[],
	read: () => T,
): readonly ((Part & T & { readonly changes: number }) | null)[] =>
	readSpans(reader, starts).map((span) =>
		span === null ? null : Object.assign({ changes: reader.varint() }, span, read()),
	);

function writeCounts(writer: ByteWriter, slots: SlotRollups, name: 'bad' | 'other'): void {
	for (const slot of slots) writer.varint(slot?.[name] ?? 0);
}

/** @param starts of the slots, ms since the Unix epoch */
export function encodePoint(slots: SlotRollups, starts: readonly number[]): Buffer {
	const numbers = slots.map((slot) => slot?.numbers ?? null);
	const truths: readonly (TruthRollup | null)[] = slots.map((slot) => slot?.truths ?? null);
	const texts: readonly (TextRollup | null)[] = slots.map((slot) => slot?.texts ?? null);
	const present = numbers.filter(has);
	const flags =
		flagIf(
			FLAG.bad,
			slots.some((slot) => (slot?.bad ?? 0) > 0),
		) |
		flagIf(
			FLAG.other,
			slots.some((slot) => (slot?.other ?? 0) > 0),
		) |
		flagIf(FLAG.numbers, present.length > 0) |
		flagIf(FLAG.truths, truths.some(has)) |
		flagIf(FLAG.texts, texts.some(has)) |
		flagIf(
			FLAG.turns,
			present.some(({ turns }) => turns !== null),
		) |
		flagIf(
			FLAG.turned,
			present.some(({ turns }) => turns !== null && (turns.resets > 0 || turns.correction !== 0)),
		) |
		flagIf(
			FLAG.rest,
			present.some(({ rest }) => Math.fround(rest) !== 0),
		);
	const writer = createByteWriter(256);
	writer.u8(flags);
	if ((flags & FLAG.bad) !== 0) writeCounts(writer, slots, 'bad');
	if ((flags & FLAG.other) !== 0) writeCounts(writer, slots, 'other');
	if ((flags & FLAG.numbers) !== 0) writeNumbers(writer, numbers, starts, flags);
	if ((flags & FLAG.truths) !== 0) {
		const trues = truths.filter(has).map((truth) => truth.trues);
		let next = 0;
		writeStates(writer, truths, starts, ({ first, last }) => {
			writer.u8((first ? 1 : 0) | (last ? 2 : 0));
			writer.varint(trues[next] ?? 0);
			next += 1;
		});
	}
	if ((flags & FLAG.texts) !== 0)
		writeStates(writer, texts, starts, ({ first, last }) => {
			writer.text(first);
			writer.text(last);
		});
	return Buffer.from(writer.bytes());
}

/** @throws Fault `rule-violation` for bytes that `encodePoint` did not write */
export function decodePoint(bytes: Buffer, starts: readonly number[]): SlotRollups {
	const reader = createByteReader(bytes);
	const flags = reader.u8();
	const counts = (flag: number): readonly number[] => ((flags & flag) === 0 ? [] : starts.map(() => reader.varint()));
	const bad = counts(FLAG.bad);
	const other = counts(FLAG.other);
	const numbers = (flags & FLAG.numbers) === 0 ? [] : readNumbers(reader, starts, flags);
	const truths = (flags & FLAG.truths) === 0 ? [] : readStates(reader, starts, () => readTruth(reader));
	const texts =
		(flags & FLAG.texts) === 0 ? [] : readStates(reader, starts, () => ({ first: reader.text(), last: reader.text() }));
	if (reader.remaining() !== 0) throw malformed(`a rollup is followed by ${reader.remaining()} bytes`);
	return starts.map((_, index) => {
		const slot: Rollup = {
			bad: bad[index] ?? 0,
			other: other[index] ?? 0,
			numbers: numbers[index] ?? null,
			truths: truths[index] ?? null,
			texts: texts[index] ?? null,
		};
		const isEmpty = slot.bad === 0 && slot.other === 0 && !slot.numbers && !slot.truths && !slot.texts;
		return isEmpty ? null : slot;
	});
}
