import type { LineFrame } from '../driver/frame-ring.ts';
import { createFrameReader } from '../driver/serial/frame-reader.ts';
import type { StreamMeter } from '../driver/serial/stream-meter.ts';
import { printable, type ShownFrame } from './frame-list.ts';

/** Received bytes that are not shown yet, in the pieces they came in. */
function createWaiting() {
	const pieces: { readonly sinceStartUs: number; bytes: Buffer }[] = [];
	return {
		add: ({ sinceStartUs, bytes }: LineFrame): void => void pieces.push({ sinceStartUs, bytes }),
		/** Takes the oldest bytes, with the times of the first and the last of them. */
		take(count: number): { readonly bytes: Buffer; readonly firstUs: number; readonly lastUs: number } {
			const taken: Buffer[] = [];
			const firstUs = pieces[0]?.sinceStartUs ?? 0;
			let lastUs = firstUs;
			for (let left = count; left > 0;) {
				const piece = pieces[0];
				if (piece === undefined) break;
				const part = piece.bytes.subarray(0, left);
				taken.push(part);
				left -= part.length;
				lastUs = piece.sinceStartUs;
				piece.bytes = piece.bytes.subarray(part.length);
				if (piece.bytes.length === 0) pieces.shift();
			}
			return { bytes: Buffer.concat(taken), firstUs, lastUs };
		},
	};
}

type Shown = Pick<ShownFrame, 'direction' | 'check' | 'text'>;

/**
 * Puts the frames of a serial device together from the pieces of a recording, as the driver has: by its framing and checksum.
 * A recording that begins inside a frame begins with bytes that make none.
 * @param frames oldest first
 */
export function shownStream(format: StreamMeter['format'], frames: readonly LineFrame[]): readonly ShownFrame[] {
	const { framing, checksum } = format;
	const shown: ShownFrame[] = [];
	const waiting = createWaiting();
	let quietSinceUs: number | null = null;
	/** Bytes that make no frame and are not shown yet; `isDamaged`: they were one, with a wrong checksum. */
	let loose = 0;
	let isDamaged = false;

	function show(what: Shown, bytes: Buffer, firstUs: number, lastUs: number): void {
		const gapUs = quietSinceUs === null ? null : firstUs - quietSinceUs;
		const none = { unitId: null, transaction: null, pdu: null, facts: null };
		shown.push({ ...what, sinceStartUs: firstUs, gapUs, bytes, ...none });
		quietSinceUs = lastUs;
	}

	function showReceived(count: number, check: ShownFrame['check'], textOf: (bytes: Buffer) => string): void {
		const { bytes, firstUs, lastUs } = waiting.take(count);
		show({ direction: 'received', check, text: textOf(bytes) }, bytes, firstUs, lastUs);
	}

	function showLoose(): void {
		const why = isDamaged ? 'wrong checksum' : 'no frame';
		if (loose > 0) showReceived(loose, 'bad', (bytes) => `${why}: ${printable(bytes)}`);
		loose = 0;
		isDamaged = false;
	}

	const reader = createFrameReader(format, {
		frame(frame) {
			showLoose();
			showReceived(frame.length, checksum === null ? null : 'ok', printable);
		},
		damaged() {
			showLoose();
			isDamaged = true;
		},
		noise(bytes) {
			loose += bytes;
		},
	});

	let heardUs = 0;
	for (const frame of frames) {
		const { direction, sinceStartUs, bytes } = frame;
		if (direction === 'sent') {
			loose += reader.held;
			reader.clear();
			showLoose();
			show({ direction, check: null, text: printable(bytes) }, bytes, sinceStartUs, sinceStartUs);
			continue;
		}
		if (framing.gapMs !== null && sinceStartUs - heardUs > framing.gapMs * 1000) reader.silence();
		heardUs = sinceStartUs;
		waiting.add(frame);
		reader.push(bytes);
	}
	if (framing.by === 'gap') reader.silence();
	showLoose();
	if (reader.held > 0) showReceived(reader.held, null, (bytes) => `not whole yet: ${printable(bytes)}`);
	return shown;
}
