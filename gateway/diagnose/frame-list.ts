import type { LineFrame } from '../driver/frame-ring.ts';
import { asciiBody, MOST_ASCII_CHARACTERS } from '../simulator/ascii-frame.ts';
import type { CaptureFraming } from './capture.ts';
import { type FoundFrame, rtuFrameAt, tcpFrameAt } from './frame-shape.ts';
import { type PduFacts, replyFacts, requestFacts } from './pdu-text.ts';

/** A pause after which what came before it is no part of what comes, µs. USB adapters hand bytes over every 16 ms. */
const PIECES_WITHIN_US = 50_000;

/** One frame as a person reads it, put together from the pieces it arrived in. */
export interface ShownFrame {
	readonly direction: LineFrame['direction'];
	/** First byte, µs since the recording began. */
	readonly sinceStartUs: number;
	/** Silence since the last byte before it, in either direction, µs; `null` for the first. */
	readonly gapUs: number | null;
	readonly bytes: Buffer;
	readonly unitId: number | null;
	readonly transaction: number | null;
	/** Function and data; `null`: the bytes are no frame. */
	readonly pdu: Buffer | null;
	/** CRC, LRC or the header of Modbus TCP; `null` where there is none. */
	readonly check: 'ok' | 'bad' | null;
	/** `null`: the bytes are no frame. */
	readonly facts: PduFacts | null;
	readonly text: string;
}

const COLON = 0x3a;

function asciiFrameAt(bytes: Buffer): FoundFrame | null {
	if (bytes[0] !== COLON) return null;
	// No more than a frame can have: else each colon of a noisy line would cost all that follows it.
	const text = bytes.toString('latin1', 0, MOST_ASCII_CHARACTERS);
	const end = text.indexOf('\r\n');
	if (end < 0) return null;
	const body = asciiBody(text.slice(1, end));
	if (body === null) return null;
	return { length: end + 2, unitId: body[0] ?? 0, pdu: body.subarray(1, -1), transaction: null, isReply: true };
}

/** The frame that begins these bytes; null: none does. */
const finders: Readonly<Record<CaptureFraming, (bytes: Buffer) => FoundFrame | null>> = {
	tcp: tcpFrameAt,
	rtu: rtuFrameAt,
	ascii: asciiFrameAt,
	raw: () => null,
};

/** A whole frame, or bytes that are none. */
interface Piece {
	readonly start: number;
	readonly end: number;
	readonly found: FoundFrame | null;
}

/** Cuts bytes into frames and what lies between them. */
function cut(bytes: Buffer, find: (bytes: Buffer) => FoundFrame | null): readonly Piece[] {
	const pieces: Piece[] = [];
	let strayFrom = 0;
	for (let at = 0; at < bytes.length;) {
		const found = find(bytes.subarray(at));
		if (found === null) {
			at += 1;
			continue;
		}
		if (at > strayFrom) pieces.push({ start: strayFrom, end: at, found: null });
		pieces.push({ start: at, end: at + found.length, found });
		at += found.length;
		strayFrom = at;
	}
	if (strayFrom < bytes.length) pieces.push({ start: strayFrom, end: bytes.length, found: null });
	return pieces;
}

/** Neighbouring frames of one direction: what was sent stands alone, what is received comes in pieces. */
interface Run {
	readonly direction: LineFrame['direction'];
	readonly frames: LineFrame[];
}

function runsOf(frames: readonly LineFrame[]): readonly Run[] {
	const runs: Run[] = [];
	for (const frame of frames) {
		const run = runs.at(-1);
		const lastUs = run?.frames.at(-1)?.sinceStartUs ?? 0;
		const belongs = run?.direction === 'received' && frame.direction === 'received';
		if (run !== undefined && belongs && frame.sinceStartUs - lastUs <= PIECES_WITHIN_US) run.frames.push(frame);
		else runs.push({ direction: frame.direction, frames: [frame] });
	}
	return runs;
}

/** When the byte at this place of a run came, µs. */
function timeAt({ frames }: Run, place: number): number {
	let end = 0;
	for (const { bytes, sinceStartUs } of frames) {
		end += bytes.length;
		if (place < end) return sinceStartUs;
	}
	return frames.at(-1)?.sinceStartUs ?? 0;
}

/** Bytes as text: those that are no printable ASCII as `\xHH`. */
export const printable = (bytes: Buffer): string =>
	bytes
		.toString('latin1')
		.replaceAll(/[^ -~]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

function factsOf(direction: LineFrame['direction'], { pdu, isReply }: FoundFrame): PduFacts {
	return direction === 'sent' || !isReply ? requestFacts(pdu) : replyFacts(pdu);
}

function textOf(
	framing: CaptureFraming,
	direction: LineFrame['direction'],
	bytes: Buffer,
	found: FoundFrame | null,
): string {
	if (found === null) return framing === 'raw' ? printable(bytes) : `no frame: ${bytes.length} bytes`;
	const { text } = factsOf(direction, found);
	return direction === 'received' && !found.isReply ? `a request on the line: ${text}` : text;
}

type Meaning = Omit<ShownFrame, 'direction' | 'sinceStartUs' | 'gapUs' | 'bytes'>;

function meaningOf(
	framing: CaptureFraming,
	direction: LineFrame['direction'],
	bytes: Buffer,
	found: FoundFrame | null,
): Meaning {
	const text = textOf(framing, direction, bytes, found);
	if (found === null) {
		const check = framing === 'raw' ? null : 'bad';
		return { unitId: null, transaction: null, pdu: null, check, facts: null, text };
	}
	const { unitId, transaction, pdu } = found;
	return { unitId, transaction, pdu, check: 'ok', facts: factsOf(direction, found), text };
}

/** Joins the pieces of a recording to frames and says what each means. @param frames oldest first */
export function shownFrames(framing: CaptureFraming, frames: readonly LineFrame[]): readonly ShownFrame[] {
	const shown: ShownFrame[] = [];
	let quietSinceUs: number | null = null;
	for (const run of runsOf(frames)) {
		const { direction } = run;
		const bytes = Buffer.concat(run.frames.map((frame) => frame.bytes));
		for (const { start, end, found } of cut(bytes, finders[framing])) {
			const sinceStartUs = timeAt(run, start);
			const gapUs = quietSinceUs === null ? null : sinceStartUs - quietSinceUs;
			const own = bytes.subarray(start, end);
			shown.push({ direction, sinceStartUs, gapUs, bytes: own, ...meaningOf(framing, direction, own, found) });
			quietSinceUs = timeAt(run, end - 1);
		}
	}
	return shown;
}
