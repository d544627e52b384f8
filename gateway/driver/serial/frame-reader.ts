import type { Framing, LengthType, SerialFormat } from '../../../config/template/serial-format.ts';
import { hasValidChecksum } from './checksum.ts';

/** What hears of frames. */
export interface FrameListener {
	/** A whole frame with a valid checksum. @param frame valid during the call */
	frame(frame: Buffer): void;
	/** A frame with a wrong checksum. */
	damaged(): void;
	/** Bytes that make no frame. */
	noise(bytes: number): void;
}

/** Cuts what comes into frames. Holds one frame at most, whatever comes. */
export interface FrameReader {
	push(chunk: Uint8Array): void;
	/** The line has been silent for the gap of the framing. */
	silence(): void;
	/** What is held belongs to nothing any more. */
	clear(): void;
	/** Bytes of a frame that is not whole. */
	readonly held: number;
}

/** Wrong beginnings tried inside one damaged frame; then it is given up whole. */
const MOST_TRIES = 16;

/** Length of the frame at the beginning of what is held: `0` while it is not known, `-1` when there can be none. */
type MeasureFrame = (held: Buffer) => number;

const lengthReaders: Readonly<
	Record<LengthType, { readonly size: number; readonly read: (b: Buffer, at: number) => number }>
> = {
	uint8: { size: 1, read: (bytes, at) => bytes.readUInt8(at) },
	uint16: { size: 2, read: (bytes, at) => bytes.readUInt16BE(at) },
	uint16le: { size: 2, read: (bytes, at) => bytes.readUInt16LE(at) },
};

function measureOf(framing: Framing): MeasureFrame {
	const { start, mostBytes } = framing;
	const bounded = (length: number): number => (length > mostBytes || length < 1 ? -1 : length);
	if (framing.by === 'length') return () => framing.length;
	if (framing.by === 'gap') return () => 0;
	if (framing.by === 'delimiter') {
		return (held) => {
			const at = held.indexOf(framing.end, start.length);
			return at === -1 ? 0 : bounded(at + framing.end.length + framing.after);
		};
	}
	const { size, read } = lengthReaders[framing.type];
	return (held) =>
		held.length < framing.at + size ? 0 : bounded(Math.max(read(held, framing.at) + framing.plus, framing.at + size));
}

export function createFrameReader(
	{ framing, checksum, layout }: Pick<SerialFormat, 'framing' | 'checksum' | 'layout'>,
	listener: FrameListener,
): FrameReader {
	const { mostBytes } = framing;
	const start = Buffer.from(framing.start);
	const measure = measureOf(framing);
	/** Without a mark each byte may begin a frame, and all are tried. */
	const mostTries = start.length === 0 ? mostBytes : MOST_TRIES;
	/** In a text the mark stands nowhere else: a frame in which it does was cut off. */
	const beginsAnew = start.length > 0 && checksum === null && layout.kind !== 'binary';
	const buffer = Buffer.alloc(mostBytes);
	let length = 0;
	let tries = 0;
	/** More came without a gap than a frame has: all of it is noise until the next silence. */
	let isOverlong = false;

	/** Takes the first bytes away. */
	function drop(bytes: number): void {
		buffer.copyWithin(0, bytes, length);
		length -= bytes;
	}

	function waste(bytes: number): void {
		if (bytes === 0) return;
		drop(bytes);
		listener.noise(bytes);
	}

	/** Bytes before the next mark, or before what may be the first part of one. */
	function strayBytes(): number {
		if (start.length === 0) return 0;
		const held = buffer.subarray(0, length);
		const at = held.indexOf(start);
		if (at !== -1) return at;
		for (let part = Math.min(start.length - 1, length); part > 0; part -= 1) {
			if (held.subarray(length - part).equals(start.subarray(0, part))) return length - part;
		}
		return length;
	}

	function damaged(frameBytes: number): void {
		if (tries === 0) listener.damaged();
		tries += 1;
		const isGivenUp = tries >= mostTries || (framing.by === 'delimiter' && start.length === 0) || framing.by === 'gap';
		if (isGivenUp) tries = 0;
		waste(isGivenUp ? frameBytes : 1);
	}

	function take(frameBytes: number): void {
		const frame = buffer.subarray(0, frameBytes);
		const again = beginsAnew ? frame.lastIndexOf(start) : 0;
		if (again > 0) {
			waste(again);
			return;
		}
		if (checksum !== null && !hasValidChecksum(frame, checksum)) {
			damaged(frameBytes);
			return;
		}
		tries = 0;
		// Whoever hears of the frame may clear what is held.
		const whole = Buffer.from(frame);
		drop(frameBytes);
		listener.frame(whole);
	}

	/** @returns whether there may be another frame in what is held */
	function look(): boolean {
		waste(strayBytes());
		if (length < Math.max(1, start.length)) return false;
		const frameBytes = measure(buffer.subarray(0, length));
		if (frameBytes > 0 && frameBytes <= length) take(frameBytes);
		else if (frameBytes === -1 || length === mostBytes)
			waste(framing.by === 'delimiter' && start.length === 0 ? length : 1);
		else return false;
		return length > 0;
	}

	/** @returns whether something is left of what is held */
	function takesPart(): boolean {
		if (length > 0) take(length);
		return length > 0;
	}

	function pushGapped(chunk: Uint8Array): void {
		if (isOverlong || length + chunk.length > mostBytes) {
			isOverlong = true;
			listener.noise(chunk.length);
			waste(length);
			return;
		}
		buffer.set(chunk, length);
		length += chunk.length;
	}

	return {
		push(chunk) {
			if (framing.by === 'gap') {
				pushGapped(chunk);
				return;
			}
			for (let at = 0; at < chunk.length;) {
				const piece = chunk.subarray(at, at + mostBytes - length);
				buffer.set(piece, length);
				length += piece.length;
				at += piece.length;
				while (look());
			}
		},
		silence() {
			if (framing.by === 'gap') {
				isOverlong = false;
				waste(strayBytes());
				// A cut-off beginning is taken away first, and the frame behind it then.
				if (takesPart()) takesPart();
			} else waste(length);
			tries = 0;
		},
		clear() {
			length = 0;
			tries = 0;
			isOverlong = false;
		},
		get held() {
			return length;
		},
	};
}
