import type { Clock } from '../../../../core/kernel/clock.ts';
import type { ByteLink } from './byte-link.ts';

/** What any serial line may carry: bytes/s at 460 800 baud, and more. */
const LEAST_RATE_BYTES_PER_S = 0x1_0000;
/** What may come at once, after a stall of ours or of the network, in seconds of the rate. */
const BURST_S = 4;
/** An echo and the longest ASCII frame (513 characters) in answer to each request: a simulator answers faster than a line. */
const BYTES_PER_REQUEST = 1026;

interface BoundedLinkDeps {
	/** Fresh, used by this link only. */
	readonly link: ByteLink;
	/** e.g. `10.0.0.5:502`, for sentences. */
	readonly place: string;
	/** What the bytes are to be, e.g. `Modbus RTU`. */
	readonly expected: string;
	/** Of the line behind the converter, bytes/s. */
	readonly rateBytesPerS: number;
	readonly clock: Clock;
}

/**
 * A connection to a converter that ends when more comes than a serial line can carry beside the answers to our requests: such
 * bytes are no frames, and taking them apart for ever would cost all other lines their time.
 */
export function createBoundedLink({ link, place, expected, rateBytesPerS, clock }: BoundedLinkDeps): ByteLink {
	const rate = Math.max(LEAST_RATE_BYTES_PER_S, rateBytesPerS);
	const most = BURST_S * rate;
	let allowed = most;
	let lastMs = clock.monotonicMs();
	let isOver = false;

	/** @returns whether so many bytes may come now */
	function isWithin(count: number): boolean {
		const nowMs = clock.monotonicMs();
		allowed = Math.min(most, allowed + (rate * (nowMs - lastMs)) / 1000) - count;
		lastMs = nowMs;
		return allowed >= 0;
	}

	return {
		open: (listener) =>
			link.open({
				bytes(chunk) {
					if (isOver) return;
					if (isWithin(chunk.length)) {
						listener.bytes(chunk);
						return;
					}
					isOver = true;
					void link.close();
					listener.lost(`${place} sent bytes that are not ${expected}, more than a serial line carries`);
				},
				lost(reason) {
					if (isOver) return;
					isOver = true;
					listener.lost(reason);
				},
			}),
		write(bytes) {
			allowed = Math.min(most, allowed + BYTES_PER_REQUEST);
			link.write(bytes);
		},
		close: () => link.close(),
	};
}
