import type { ModbusExchange } from './modbus-line.ts';

/** Functions whose answer is the request again, byte for byte (Application Protocol V1.1b3, 6.5, 6.6, 6.16). */
const MIRRORED: ReadonlySet<number> = new Set([5, 6, 22]);

/** Whether the answer cannot be told from an echo of the request. */
export const isMirrored = ({ functionCode }: ModbusExchange): boolean => MIRRORED.has(functionCode);

/**
 * Whether the adapter hears what it sends. Two-wire adapters that cannot switch off their receiver do; an echo of a write of one
 * register would then pass for its confirmation.
 */
export interface EchoSense {
	/** `null`: nothing that tells was sent yet. */
	readonly hasEcho: boolean | null;
	/** A request is on its way. */
	sent(exchange: ModbusExchange): void;
	/** The newest request was heard. */
	heard(): void;
	/** Whether this copy of a mirrored request is the echo, and the answer still to come. */
	isEcho(): boolean;
	/** The request is over. @param isQuiet nothing but its answer was heard, if that */
	over(isQuiet: boolean): void;
}

/** Requests in a row without an echo, after one was heard, until it is believed that there is none any more. */
const QUIET_AFTER_ECHO = 8;

export function createEchoSense(): EchoSense {
	let hasEcho: boolean | null = null;
	let isMirror = false;
	let isHeard = false;
	let wasQuiet = false;
	let quietInRow = 0;

	/** The echo may come behind a late answer that was taken for ours, so a request is judged when the next one goes out. */
	function judge(): void {
		// The answer to a mirrored request says nothing, and a damaged echo is only noise.
		if (isHeard || isMirror || !wasQuiet) return;
		quietInRow += 1;
		if (hasEcho !== true || quietInRow >= QUIET_AFTER_ECHO) hasEcho = false;
	}

	return {
		get hasEcho() {
			return hasEcho;
		},
		sent(exchange) {
			judge();
			isMirror = isMirrored(exchange);
			isHeard = false;
			wasQuiet = false;
		},
		heard() {
			isHeard = true;
			hasEcho = true;
			quietInRow = 0;
		},
		isEcho: () => hasEcho === true && !isHeard,
		over(isQuiet) {
			wasQuiet = isQuiet;
		},
	};
}
