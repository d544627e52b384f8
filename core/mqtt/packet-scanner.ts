/**
 * Follows the fixed headers of an MQTT byte stream (3.1.1 section 2.2) without looking into the packets, so that an oversized
 * one is refused at its first bytes instead of being collected in memory (up to 256 MiB by the protocol).
 */
export interface PacketScanner {
	/** Feeds received bytes. `false`: the stream breaks the limit or the length encoding, and may not be read any further. */
	accept(chunk: Uint8Array): boolean;
}

export interface PacketLimits {
	/** Longest remaining length of the first packet (CONNECT comes from somebody who has proved nothing yet), bytes. */
	readonly firstPacketBytes: number;
	/** Longest remaining length of any later packet, bytes. */
	readonly packetBytes: number;
}

/** [MQTT-2.2.3]: the remaining length takes at most four bytes. */
const MAX_LENGTH_BYTES = 4;

export function createPacketScanner({ firstPacketBytes, packetBytes }: PacketLimits): PacketScanner {
	let limit = firstPacketBytes;
	/** Bytes of the current packet's body that are still to come. */
	let skip = 0;
	/** Bytes of the length seen so far; -1 while the type byte is awaited. */
	let lengthBytes = -1;
	let length = 0;

	function takeLengthByte(byte: number): boolean {
		length += (byte & 0x7f) * 128 ** lengthBytes;
		lengthBytes += 1;
		if (length > limit) return false;
		if (byte >= 0x80) return lengthBytes < MAX_LENGTH_BYTES;
		skip = length;
		lengthBytes = -1;
		length = 0;
		limit = packetBytes;
		return true;
	}

	return {
		accept(chunk) {
			let at = 0;
			while (at < chunk.length) {
				if (skip > 0) {
					const step = Math.min(skip, chunk.length - at);
					skip -= step;
					at += step;
				} else {
					if (lengthBytes < 0) lengthBytes = 0;
					else if (!takeLengthByte(chunk[at] ?? 0)) return false;
					at += 1;
				}
			}
			return true;
		},
	};
}
