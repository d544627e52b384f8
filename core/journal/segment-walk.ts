import type { FileLayer, JournalFile } from './file-layer.ts';
import { decodeFrame, type Frame, FRAME_HEADER_BYTES, frameLengthAt, type SegmentHeader } from './segment-format.ts';

/** Bytes read at once; far more than a commit, far less than a segment. */
const PIECE_BYTES = 256 * 1024;

/** Where the next frame may begin: frames are aligned to 8 bytes. */
function nextCandidate(piece: Buffer, from: number, nonce: number): number {
	let offset = from;
	while (offset + FRAME_HEADER_BYTES <= piece.length && frameLengthAt(piece, offset, nonce) === null) offset += 8;
	return offset;
}

/**
 * The intact commits of a segment between two offsets, in order. Bytes that are no commit are stepped over; the caller sees
 * that from a gap between one frame's `next` and the following one's `at`.
 */
export async function* walkFrames(
	file: JournalFile,
	{ nonce }: Pick<SegmentHeader, 'nonce'>,
	from: number,
	to: number,
): AsyncGenerator<Frame> {
	let base = from;
	let wanted = PIECE_BYTES;
	let lastNumber = -1;
	while (base + FRAME_HEADER_BYTES <= to) {
		const asked = Math.min(wanted, to - base);
		const piece = await file.read(base, asked);
		wanted = PIECE_BYTES;
		if (piece.length < FRAME_HEADER_BYTES) return;
		const mayHoldMore = piece.length === asked;
		let offset = 0;
		for (;;) {
			offset = nextCandidate(piece, offset, nonce);
			const length = frameLengthAt(piece, offset, nonce);
			if (length === null) break;
			const fitsPiece = offset + length <= piece.length;
			if (!fitsPiece && mayHoldMore && base + offset + length <= to) {
				wanted = Math.max(PIECE_BYTES, length);
				break;
			}
			const frame = fitsPiece ? decodeFrame(piece, offset, base) : null;
			// A number that does not ascend is the rest of an attempt to write that failed.
			if (frame === null || frame.number <= lastNumber) {
				offset += 8;
				continue;
			}
			lastNumber = frame.number;
			yield frame;
			offset += length;
		}
		base += offset;
	}
}

/** Opens a file for the time of a task. */
export async function withFile<T>(files: FileLayer, path: string, task: (file: JournalFile) => Promise<T>): Promise<T> {
	const file = await files.open(path);
	try {
		return await task(file);
	} finally {
		await file.close();
	}
}
