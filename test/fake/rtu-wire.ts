import type { ByteLink, ByteLinkListener } from '../../gateway/driver/modbus/wire/byte-link.ts';
import { withCrc } from './crc.ts';
import { replyTo, requestOf, type SlaveRequest } from './modbus-slave.ts';

/** Reply of a fake RTU slave: how late it comes, and its bytes when they are not the right ones. `null`: none. */
export interface WireReply {
	readonly delayMs: number;
	/** It comes when the next request has been sent and not before: too late for its own, however slow the machine is. */
	readonly isLate?: boolean;
	readonly bytes?: Buffer;
	/** Sizes of the pieces it arrives in; the rest comes in one. */
	readonly pieces?: readonly number[];
}

export interface RtuWire {
	/** A fresh link onto the wire. */
	link(): ByteLink;
	readonly requests: readonly SlaveRequest[];
	/** Puts bytes on the wire without being asked. */
	inject(bytes: Buffer): void;
	/** The port vanishes. */
	unplug(): void;
}

export const rtuReply = (request: SlaveRequest): Buffer => withCrc(replyTo(request));

export const rtuException = ({ unitId, functionCode }: SlaveRequest, code: number): Buffer =>
	withCrc(Buffer.from([unitId, functionCode | 0x80, code]));

const after = (ms: number): Promise<void> =>
	new Promise((resolve) => {
		setTimeout(resolve, ms);
	});

/**
 * A serial line in memory with slaves that answer in order, as slaves do.
 * @param hasEcho whether the adapter hears this request itself
 */
export function createRtuWire(
	behave: (request: SlaveRequest, index: number) => WireReply | null,
	hasEcho: (index: number) => boolean = () => false,
): RtuWire {
	const requests: SlaveRequest[] = [];
	let listener: ByteLinkListener | null = null;
	let lastAt = Promise.resolve();
	/** Let go of what waits for the next request. */
	let late: (() => void)[] = [];

	const deliver = (bytes: Buffer, pieces: readonly number[] = []): void => {
		let start = 0;
		for (const size of [...pieces, bytes.length]) {
			if (start < bytes.length) listener?.bytes(bytes.subarray(start, Math.min(bytes.length, start + size)));
			start += size;
		}
	};

	return {
		requests,
		inject: deliver,
		unplug: () => listener?.lost('the wire is cut'),
		link: () => ({
			open(next) {
				listener = next;
				return Promise.resolve();
			},
			write(bytes) {
				// The shortest requests have no count.
				const request = requestOf(bytes.readUInt8(0), Buffer.concat([bytes.subarray(1), Buffer.alloc(2)]));
				requests.push(request);
				const index = requests.length - 1;
				for (const letGo of late) letGo();
				late = [];
				const echo = Buffer.from(bytes);
				if (hasEcho(index)) lastAt = lastAt.then(() => deliver(echo));
				const reply = behave(request, index);
				if (reply === null) return;
				const overtaken = new Promise<void>((resolve) => {
					if (reply.isLate === true) late.push(resolve);
					else resolve();
				});
				const ready = Promise.all([lastAt, after(reply.delayMs), overtaken]);
				lastAt = ready.then(() => deliver(reply.bytes ?? rtuReply(request), reply.pieces));
			},
			close() {
				listener = null;
				return Promise.resolve();
			},
		}),
	};
}
