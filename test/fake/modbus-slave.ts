import { createServer, type AddressInfo, type Socket } from 'node:net';

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

export interface FakeSlave {
	readonly port: number;
	readonly requests: readonly SlaveRequest[];
	readonly connections: number;
	behave(behaviour: SlaveBehaviour): void;
	/** Ends all connections, keeps listening. */
	hangUp(): void;
	stop(): Promise<void>;
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

export function requestOf(pdu: Buffer): SlaveRequest {
	const request = {
		unitId: pdu.readUInt8(0),
		functionCode: pdu.readUInt8(1),
		address: pdu.readUInt16BE(2),
		count: pdu.readUInt16BE(4),
	};
	if (request.functionCode !== 16) return request;
	return { ...request, words: Array.from({ length: request.count }, (_, at) => pdu.readUInt16BE(7 + 2 * at)) };
}

function frame(transactionId: number, body: Buffer): Buffer {
	const header = Buffer.alloc(6);
	header.writeUInt16BE(transactionId, 0);
	header.writeUInt16BE(body.length, 4);
	return Buffer.concat([header, body]);
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

function answer(socket: Socket, transactionId: number, request: SlaveRequest, reply: SlaveReply): void {
	const send = (id: number, body: Buffer): void => void socket.write(frame(id, body));
	const body = bodyOf(request, reply);
	if (reply.kind === 'bytes') socket.write(reply.bytes);
	else if (reply.kind === 'drop-midway') socket.end(frame(transactionId, replyTo(request)).subarray(0, 8));
	if (body === null) return;
	if (reply.kind === 'data' && reply.delayMs !== undefined) {
		setTimeout(() => send(transactionId, body), reply.delayMs);
		return;
	}
	send(reply.kind === 'wrong-transaction' ? (transactionId + 7) & 0xffff : transactionId, body);
}

/** A Modbus TCP slave on a port of its own, with faults on demand. */
export async function createFakeSlave(initial: SlaveBehaviour = () => ({ kind: 'data' })): Promise<FakeSlave> {
	const requests: SlaveRequest[] = [];
	const sockets = new Set<Socket>();
	let behaviour = initial;
	let connections = 0;

	const server = createServer((socket) => {
		connections += 1;
		sockets.add(socket);
		socket.setNoDelay(true);
		socket.on('close', () => sockets.delete(socket));
		socket.on('error', () => socket.destroy());
		let rest: Buffer = Buffer.alloc(0);
		let late: (() => void)[] = [];
		socket.on('data', (chunk) => {
			rest = Buffer.concat([rest, chunk]);
			for (;;) {
				const length = rest.length < 6 ? Infinity : 6 + rest.readUInt16BE(4);
				if (rest.length < length) return;
				const request = requestOf(rest.subarray(6, length));
				requests.push(request);
				for (const letGo of late) letGo();
				late = [];
				const transactionId = rest.readUInt16BE(0);
				const reply = behaviour(request, requests.length - 1);
				if (reply.kind === 'data' && reply.isLate === true)
					late.push(() => answer(socket, transactionId, request, { kind: 'data' }));
				else answer(socket, transactionId, request, reply);
				rest = rest.subarray(length);
			}
		});
	});
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve);
	});
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a listening TCP server has an AddressInfo
	const { port } = server.address() as AddressInfo;

	const hangUp = (): void => {
		for (const socket of sockets) socket.destroy();
	};
	return {
		port,
		requests,
		get connections() {
			return connections;
		},
		behave(next) {
			behaviour = next;
		},
		hangUp,
		stop() {
			hangUp();
			return new Promise((resolve) => {
				server.close(() => resolve());
			});
		},
	};
}
