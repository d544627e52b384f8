/** CRC bit by bit: independent of the product's table. */
export function withCrc(body: Buffer): Buffer {
	let crc = 0xffff;
	for (const byte of body) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
	}
	return Buffer.concat([body, Buffer.from([crc & 0xff, crc >> 8])]);
}
