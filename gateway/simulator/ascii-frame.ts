/** `:`, unit, PDU and LRC as hex digits, CR, LF (Modbus over Serial Line V1.02, 2.5.2). */
export const MOST_ASCII_CHARACTERS = 513;

/** Two's complement of the sum of the bytes (6.2.1). */
export const lrc = (bytes: Uint8Array): number => -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;

export function asciiFrame(unitId: number, pdu: Uint8Array): Buffer {
	const body = Buffer.from([unitId, ...pdu]);
	return Buffer.from(
		`:${Buffer.from([...body, lrc(body)])
			.toString('hex')
			.toUpperCase()}\r\n`,
		'latin1',
	);
}

/** Unit, PDU and LRC of one line without its `:`; null when they are not whole or the LRC is wrong. */
export function asciiBody(line: string): Buffer | null {
	if (!/^(?:[\dA-Fa-f]{2}){3,}$/.test(line)) return null;
	const bytes = Buffer.from(line, 'hex');
	return lrc(bytes.subarray(0, -1)) === bytes.at(-1) ? bytes : null;
}

/** Cuts a line's characters into bodies: unit and PDU. What is between frames is passed over. */
export function createAsciiCutter(): (chunk: Buffer) => readonly Buffer[] {
	let rest = '';
	return (chunk) => {
		rest += chunk.toString('latin1');
		const bodies: Buffer[] = [];
		for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
			const line = rest.slice(0, end);
			rest = rest.slice(end + 2);
			const body = asciiBody(line.slice(line.lastIndexOf(':') + 1));
			if (body !== null && line.includes(':')) bodies.push(body.subarray(0, -1));
		}
		rest = rest.slice(-MOST_ASCII_CHARACTERS);
		return bodies;
	};
}
