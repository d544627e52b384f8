import type { Socket } from 'node:net';
import { type DeviceServer, startFrameServer } from './device-server.ts';
import { mbap } from './framings.ts';

/** What a fake slave does with one request. */
export type SlaveReply =
	/** `isLate`: when the next request has come and not before, too late for its own however slow the machine is. */
	| { readonly kind: 'data'; readonly delayMs?: number; readonly isLate?: boolean }
	| { readonly kind: 'silence' }
	| { readonly kind: 'exception'; readonly code: number }
	/** Raw bytes in place of a reply. */
	| { readonly kind: 'bytes'; readonly bytes: Buffer }
	| { readonly kind: 'wrong-transaction' }
	| { readonly kind: 'wrong-unit' }
	| { readonly kind: 'wrong-function' }
	/** The echo of a write of another value. */
	| { readonly kind: 'wrong-echo' }
	/** One register less than was asked for. */
	| { readonly kind: 'short' }
	/** The reply up to its middle, then the connection ends. */
	| { readonly kind: 'drop-midway' };

export interface SlaveRequest {
	readonly unitId: number;
	readonly functionCode: number;
	readonly address: number;
	/** Of functions 5 and 6 the value. */
	readonly count: number;
	/** Registers that function 16 brings. */
	readonly words?: readonly number[];
}

const WRITES: ReadonlySet<number> = new Set([5, 6, 16]);

/** Decides what happens; the default is data at once. Registers hold `address ^ (unitId << 8)`, bits `address % 3 === 0`. */
export type SlaveBehaviour = (request: SlaveRequest, index: number) => SlaveReply;

export interface FakeSlave extends Omit<DeviceServer, 'say'> {
	readonly requests: readonly SlaveRequest[];
	behave(behaviour: SlaveBehaviour): void;
}

export const registerOf = (unitId: number, address: number): number => (address ^ (unitId << 8)) & 0xffff;
export const bitOf = (address: number): boolean => address % 3 === 0;

/** Unit, function, byte count and data; of a write the echo. */
export function replyTo({ unitId, functionCode, address, count }: SlaveRequest): Buffer {
	if (WRITES.has(functionCode)) {
		const echo = Buffer.from([unitId, functionCode, 0, 0, 0, 0]);
		echo.writeUInt16BE(address, 2);
		echo.writeUInt16BE(count, 4);
		return echo;
	}
	if (functionCode <= 2) {
		const bits = Buffer.alloc(Math.ceil(count / 8));
		for (let i = 0; i < count; i += 1) {
			if (bitOf(address + i)) bits.writeUInt8(bits.readUInt8(i >> 3) | (1 << (i & 7)), i >> 3);
		}
		return Buffer.concat([Buffer.from([unitId, functionCode, bits.length]), bits]);
	}
	const words = Buffer.alloc(2 * count);
	for (let i = 0; i < count; i += 1) words.writeUInt16BE(registerOf(unitId, address + i), 2 * i);
	return Buffer.concat([Buffer.from([unitId, functionCode, words.length]), words]);
}

export function requestOf(unitId: number, pdu: Buffer): SlaveRequest {
	const request = {
		unitId,
		functionCode: pdu.readUInt8(0),
		address: pdu.readUInt16BE(1),
		count: pdu.readUInt16BE(3),
	};
	if (request.functionCode !== 16) return request;
	return { ...request, words: Array.from({ length: request.count }, (_, at) => pdu.readUInt16BE(6 + 2 * at)) };
}

/** Unit, function and data in place of the right ones; `null`: the reply is no such frame. */
function bodyOf(request: SlaveRequest, reply: SlaveReply): Buffer | null {
	const { unitId, functionCode, count } = request;
	const good = replyTo(request);
	switch (reply.kind) {
		case 'exception':
			return Buffer.from([unitId, functionCode | 0x80, reply.code]);
		case 'wrong-unit':
			return Buffer.from([unitId + 1, ...good.subarray(1)]);
		case 'wrong-function':
			return Buffer.from([unitId, functionCode === 3 ? 4 : 3, ...good.subarray(2)]);
		case 'wrong-echo':
			return replyTo({ ...request, count: count ^ 1 });
		case 'short':
			return replyTo({ ...request, count: count - 1 });
		case 'data':
		case 'wrong-transaction':
			return good;
		case 'silence':
		case 'bytes':
		case 'drop-midway':
			return null;
	}
}

/** The tag of another request. */
function wrongTag(tag: Buffer): Buffer {
	const wrong = Buffer.alloc(2);
	wrong.writeUInt16BE((tag.readUInt16BE(0) + 7) & 0xffff);
	return wrong;
}

/** The frame around unit, function and data. */
const frame = (tag: Buffer, body: Buffer): Buffer => mbap.wrap(body.readUInt8(0), body.subarray(1), tag);

function answer(socket: Socket, tag: Buffer, request: SlaveRequest, reply: SlaveReply): void {
	const body = bodyOf(request, reply);
	if (reply.kind === 'bytes') socket.write(reply.bytes);
	else if (reply.kind === 'drop-midway') socket.end(frame(tag, replyTo(request)).subarray(0, 8));
	if (body === null) return;
	if (reply.kind === 'data' && reply.delayMs !== undefined) {
		setTimeout(() => socket.write(frame(tag, body)), reply.delayMs);
		return;
	}
	socket.write(frame(reply.kind === 'wrong-transaction' ? wrongTag(tag) : tag, body));
}

/** A Modbus TCP slave on a port of its own, with faults on demand. */
export async function createFakeSlave(initial: SlaveBehaviour = () => ({ kind: 'data' })): Promise<FakeSlave> {
	const requests: SlaveRequest[] = [];
	let behaviour = initial;
	const server = await startFrameServer(mbap, (socket) => {
		let late: (() => void)[] = [];
		return ({ unitId, pdu, tag }) => {
			const request = requestOf(unitId, pdu);
			requests.push(request);
			for (const letGo of late) letGo();
			late = [];
			const reply = behaviour(request, requests.length - 1);
			if (reply.kind === 'data' && reply.isLate === true)
				late.push(() => answer(socket, tag, request, { kind: 'data' }));
			else answer(socket, tag, request, reply);
		};
	});
	return {
		port: server.port,
		requests,
		get connections() {
			return server.connections;
		},
		behave(next) {
			behaviour = next;
		},
		hangUp: () => server.hangUp(),
		stop: () => server.stop(),
	};
}
