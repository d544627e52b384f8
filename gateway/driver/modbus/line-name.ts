import type { Line, Parity, SerialSettings } from '../../../config/connection/connection.ts';

const parityLetters: Readonly<Record<Parity, string>> = { none: 'N', even: 'E', odd: 'O' };

/** e.g. `9600 8N1`. */
export const serialName = ({ baudRate, dataBits, parity, stopBits }: SerialSettings): string =>
	`${baudRate} ${dataBits}${parityLetters[parity]}${stopBits}`;

/** e.g. `tcp 192.168.1.20:502`, `rtu /dev/ttyUSB0 9600 8N1` or `rtu-over-tcp 192.168.1.21:4001`. */
export function lineName(line: Line): string {
	if ('path' in line) return `${line.transport} ${line.path} ${serialName(line)}`;
	return `${line.transport} ${line.host}:${line.port}`;
}

/** Bits of one character on a serial line: start, data, parity, stop. */
export const bitsPerChar = ({ dataBits, parity, stopBits }: SerialSettings): number =>
	1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits;
