import { crc32 } from 'node:zlib';

import { byteView } from '../journal/byte-view.ts';

/** Records as lines of text: eight hexadecimal digits of a CRC-32, a blank, JSON. A damaged line costs itself and no other. */
const CRC_DIGITS = 8;

const crcOf = (text: string): string =>
	crc32(byteView(Buffer.from(text, 'utf8')))
		.toString(16)
		.padStart(CRC_DIGITS, '0');

export function recordLine(record: unknown): string {
	const json = JSON.stringify(record);
	return `${crcOf(json)} ${json}\n`;
}

/** What lines hold, in their order. A line without an end is torn: its write was under way when the power failed. */
export function readRecordLines(text: string): { readonly records: readonly unknown[]; readonly damagedLines: number } {
	const records: unknown[] = [];
	let damagedLines = 0;
	for (const line of text.split('\n')) {
		if (line === '') continue;
		const json = line.slice(CRC_DIGITS + 1);
		if (line.slice(0, CRC_DIGITS) === crcOf(json)) records.push(JSON.parse(json));
		else damagedLines += 1;
	}
	return { records, damagedLines };
}
