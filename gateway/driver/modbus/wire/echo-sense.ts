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

export function createEchoSense(): EchoSense {
	let hasEcho: boolean | null = null;
	let isMirror = false;
	let isHeard = false;

	return {
		get hasEcho() {
			return hasEcho;
		},
		sent(exchange) {
			isMirror = isMirrored(exchange);
			isHeard = false;
		},
		heard() {
			isHeard = true;
			hasEcho = true;
		},
		isEcho: () => hasEcho === true && !isHeard,
		over(isQuiet) {
			// The answer to a mirrored request says nothing, and a damaged echo is only noise.
			if (!isHeard && !isMirror && isQuiet) hasEcho = false;
		},
	};
}
