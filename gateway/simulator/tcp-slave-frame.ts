/** MBAP: transaction, protocol, length, unit (Modbus messaging on TCP/IP, 3.1.3). */
const HEADER_BYTES = 7;
/** Longest frame: 7 bytes of header and 253 of PDU. */
const MAX_FRAME_BYTES = 260;

/** One complete request. */
interface TcpFrame {
	/** Transaction id and protocol id, to be sent back. */
	readonly head: Buffer;
	readonly unitId: number;
	readonly pdu: Buffer;
}

/**
 * Cuts a stream into requests; several may arrive in one packet, one may arrive in several.
 * @throws RangeError when the bytes are no Modbus.
 */
export function createFrameCutter(): (chunk: Buffer) => readonly TcpFrame[] {
	let rest: Buffer = Buffer.alloc(0);
	return (chunk) => {
		rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
		const frames: TcpFrame[] = [];
		while (rest.length >= HEADER_BYTES) {
			const end = 6 + rest.readUInt16BE(4);
			if (rest.readUInt16BE(2) !== 0 || end > MAX_FRAME_BYTES || end <= HEADER_BYTES)
				throw new RangeError('these bytes are no Modbus TCP');
			if (rest.length < end) break;
			frames.push({ head: rest.subarray(0, 4), unitId: rest[6] ?? 0, pdu: rest.subarray(HEADER_BYTES, end) });
			rest = rest.subarray(end);
		}
		return frames;
	};
}

/** The frame around a reply. Garbage is a frame that calls itself another protocol. */
export function tcpFrame({ head, unitId }: TcpFrame, pdu: Buffer, isGarbage = false): Buffer {
	const frame = Buffer.alloc(HEADER_BYTES + pdu.length);
	head.copy(frame);
	if (isGarbage) frame.writeUInt16BE(0xdead, 2);
	frame.writeUInt16BE(1 + pdu.length, 4);
	frame[6] = unitId;
	pdu.copy(frame, HEADER_BYTES);
	return frame;
}
