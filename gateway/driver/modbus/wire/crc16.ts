/** Table of the reflected polynomial 0xA001 (Modbus over Serial Line V1.02, 6.2.2). */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
	let crc = byte;
	for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
	return crc;
});

/** CRC of `bytes[start, end)`; sent low byte first. */
export function crc16(bytes: Uint8Array, start = 0, end = bytes.length): number {
	let crc = 0xffff;
	for (let i = start; i < end; i += 1) crc = (crc >> 8) ^ (table[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
	return crc;
}

/** Whether `bytes[start, end)` ends with the CRC of what stands before it. */
export const hasValidCrc = (bytes: Uint8Array, start: number, end: number): boolean =>
	crc16(bytes, start, end - 2) === ((bytes[end - 2] ?? 0) | ((bytes[end - 1] ?? 0) << 8));
