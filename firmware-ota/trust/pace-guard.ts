import type { SetTimer } from '../../core/journal/set-timer.ts';
import type { Pace } from './metadata-source.ts';
import { TrustFault } from './trust-fault.ts';

/** Watches over a transfer: it may be slow, but not as slow as somebody who only wants to keep it from ending. */
export interface PaceGuard {
	/** So many bytes came. */
	came(bytes: number): void;
	/** To be called when the transfer has ended, whichever way. */
	stop(): void;
}

/** `tooSlow` is called once, when less than agreed came within one of the agreed times, one after the other. */
export function createPaceGuard({
	pace: { withinMs, leastBytes },
	setTimer,
	name,
	tooSlow,
}: {
	readonly pace: Pace;
	readonly setTimer: SetTimer;
	readonly name: string;
	readonly tooSlow: (fault: TrustFault) => void;
}): PaceGuard {
	let bytes = 0;
	let cancel = setTimer(judge, withinMs);

	function judge(): void {
		if (bytes < leastBytes) {
			tooSlow(new TrustFault('too-slow', `${name}: ${bytes} bytes in ${withinMs} ms, and ${leastBytes} are demanded`));
			return;
		}
		bytes = 0;
		cancel = setTimer(judge, withinMs);
	}

	return {
		came(more) {
			bytes += more;
		},
		stop: () => cancel(),
	};
}
