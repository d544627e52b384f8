/** Longest remaining length that four bytes can say (MQTT 3.1.1, 2.2.3). */
const LENGTH_BYTES = 4;
const PUBLISH = 3;

/** Length of the packet that begins here, its fixed header included; null: more bytes are needed to tell (MQTT 3.1.1, 2.2). */
function packetLength(bytes: Buffer): number | null {
	let remaining = 0;
	for (let index = 0; index < LENGTH_BYTES; index += 1) {
		const byte = bytes[1 + index];
		if (byte === undefined) return null;
		remaining += (byte & 0x7f) * 128 ** index;
		if ((byte & 0x80) === 0) return 2 + index + remaining;
	}
	throw new RangeError('these bytes are no MQTT');
}

/** Cuts a stream into packets. @throws RangeError when the bytes are no MQTT. */
export function createPacketCutter(): (chunk: Buffer) => readonly Buffer[] {
	let rest: Buffer = Buffer.alloc(0);
	return (chunk) => {
		rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
		const packets: Buffer[] = [];
		for (;;) {
			const length = packetLength(rest);
			if (length === null || rest.length < length) return packets;
			packets.push(rest.subarray(0, length));
			rest = rest.subarray(length);
		}
	};
}

export const isPublish = (packet: Buffer): boolean => (packet[0] ?? 0) >> 4 === PUBLISH;
