import type { Line, Parity } from '../../../core/device/device.ts';

const parityLetters: Readonly<Record<Parity, string>> = { none: 'N', even: 'E', odd: 'O' };

/** e.g. `tcp 192.168.1.20:502` or `rtu /dev/ttyUSB0 9600 8N1`. */
export function lineName(line: Line): string {
	if (line.transport === 'tcp') return `tcp ${line.host}:${line.port}`;
	return `rtu ${line.path} ${line.baudRate} ${line.dataBits}${parityLetters[line.parity]}${line.stopBits}`;
}

/** The thing that only one bus may own: two lines with the same port are the same line or a contradiction. */
export const linePort = (line: Line): string =>
	line.transport === 'tcp' ? `tcp ${line.host.toLowerCase()}:${line.port}` : `rtu ${line.path}`;

/** Bits of one character on a serial line: start, data, parity, stop. */
export const bitsPerChar = (line: Extract<Line, { readonly transport: 'rtu' }>): number =>
	1 + line.dataBits + (line.parity === 'none' ? 0 : 1) + line.stopBits;
