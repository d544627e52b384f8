const ESCAPES: Readonly<Record<string, number>> = { r: 13, n: 10, t: 9, '\\': 92, '0': 0 };

const PIECE = /\\x([0-9A-Fa-f]{2})|\\([rnt0\\])|([\x20-\x5b\x5d-\x7e])/y;

/**
 * Bytes as a template writes them: printable ASCII as it is, `\r`, `\n`, `\t`, `\0`, `\\`, and `\xHH` for any other.
 * @returns `null` when the text is written otherwise
 */
export function bytesOf(text: string): Uint8Array | null {
	const bytes: number[] = [];
	PIECE.lastIndex = 0;
	while (PIECE.lastIndex < text.length) {
		const piece = PIECE.exec(text);
		if (piece === null) return null;
		const [, hex, escape, plain] = piece;
		if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
		else if (escape !== undefined) bytes.push(ESCAPES[escape] ?? 0);
		else bytes.push(plain?.charCodeAt(0) ?? 0);
	}
	return Uint8Array.from(bytes);
}
