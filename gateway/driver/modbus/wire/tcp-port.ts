import { connect, type Socket } from 'node:net';
import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import { crc16 } from './crc16.ts';
import { ModbusPort } from './modbus-port.ts';
import { type ExpectedReply, expectedReply } from './rtu-frame.ts';
import { openFault } from './open-fault.ts';

/** Transaction id, protocol id and length (Messaging on TCP/IP V1.0b, 3.1.3). */
const HEADER_BYTES = 6;
/** Unit, function and one more byte at least; unit and a PDU of 253 bytes at most. */
const LEAST_LENGTH = 3;
const MOST_LENGTH = 254;
const EXCEPTION_BIT = 0x80;

interface TcpPortDeps {
	readonly host: string;
	readonly port: number;
	readonly clock: Clock;
	readonly meter: LineMeter;
}

/** Modbus TCP on a socket of our own: whole 16-bit transaction ids, bounded memory, and anything that is no MBAP ends the connection. */
export class TcpPort extends ModbusPort {
	readonly #deps: TcpPortDeps;
	#socket: Socket | null = null;
	#isOpen = false;
	#transactionId = 0;
	#expected: ExpectedReply | null = null;
	/** The beginning of a frame whose rest has not arrived; shorter than one frame. */
	#rest: Buffer = Buffer.alloc(0);

	constructor(deps: TcpPortDeps) {
		super();
		this.#deps = deps;
	}

	get isOpen(): boolean {
		return this.#isOpen;
	}

	open(done: (error: Error | null) => void): void {
		const { host, port } = this.#deps;
		const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
		this.#socket = socket;
		socket.once('connect', () => {
			this.#isOpen = true;
			done(null);
		});
		socket.on('data', (chunk) => this.#receive(chunk));
		socket.on('error', (error: NodeJS.ErrnoException) => {
			if (this.#isOpen) this.#lose(`the connection to ${host}:${port} broke (${error.code ?? error.message})`);
			else done(openFault(`${host}:${port}`, error.code, error));
		});
		socket.on('close', () => this.#lose(`${host}:${port} closed the connection`));
	}

	close(done: () => void): void {
		this.#isOpen = false;
		this.#socket?.destroy();
		done();
	}

	write(frame: Buffer): void {
		const { clock, meter } = this.#deps;
		this.#transactionId = (this.#transactionId + 1) & 0xffff;
		const length = frame.length - 2;
		const adu = Buffer.allocUnsafe(HEADER_BYTES + length);
		adu.writeUInt16BE(this.#transactionId, 0);
		adu.writeUInt16BE(0, 2);
		adu.writeUInt16BE(length, 4);
		frame.copy(adu, HEADER_BYTES, 0, length);
		this.#expected = expectedReply(frame);
		this.sentAtMs = clock.monotonicMs();
		meter.frames.push('sent', adu);
		this.#socket?.write(adu);
	}

	abandon(): void {
		this.#expected = null;
	}

	#receive(chunk: Buffer): void {
		this.#deps.meter.frames.push('received', chunk);
		const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
		let start = 0;
		while (this.#isOpen && bytes.length - start >= HEADER_BYTES) {
			const length = bytes.readUInt16BE(start + 4);
			if (bytes.readUInt16BE(start + 2) !== 0 || length < LEAST_LENGTH || length > MOST_LENGTH) {
				this.#deps.meter.counters.strayFrames += 1;
				this.#loseTrack();
				return;
			}
			const end = start + HEADER_BYTES + length;
			if (end > bytes.length) break;
			this.#frame(bytes.readUInt16BE(start), bytes.subarray(start + HEADER_BYTES, end));
			start = end;
		}
		this.#rest = Buffer.from(bytes.subarray(start));
	}

	#frame(transactionId: number, unitAndPdu: Buffer): void {
		const expected = this.#expected;
		if (expected === null || transactionId !== this.#transactionId) {
			this.#deps.meter.counters.strayFrames += 1;
			return;
		}
		this.#expected = null;
		const flaw = flawOf(unitAndPdu, expected);
		if (flaw !== null) {
			this.emit('corrupt', flaw);
			return;
		}
		const frame = Buffer.allocUnsafe(unitAndPdu.length + 2);
		unitAndPdu.copy(frame);
		frame.writeUInt16LE(crc16(unitAndPdu), unitAndPdu.length);
		this.emit('data', frame);
	}

	/** Where the next frame begins is unknown from here on. Behind a gateway of many units the one that was asked is to blame, not the line. */
	#loseTrack(): void {
		const why = 'bytes that are not Modbus TCP';
		if (this.#expected === null) {
			this.#lose(`${this.#deps.host}:${this.#deps.port} sent ${why}`);
			return;
		}
		this.emit('corrupt', why);
		this.#lose(null);
	}

	#lose(reason: string | null): void {
		if (!this.#isOpen) return;
		this.#isOpen = false;
		this.#expected = null;
		this.#socket?.destroy();
		this.emit('lost', reason);
	}
}

/** Why this cannot be the reply, in a few words; `null` when it can. */
function flawOf(unitAndPdu: Buffer, expected: ExpectedReply): string | null {
	const unitId = unitAndPdu.readUInt8(0);
	const functionCode = unitAndPdu.readUInt8(1);
	if (unitId !== expected.unitId) return `unit ${unitId} in the reply`;
	if (functionCode === (expected.functionCode | EXCEPTION_BIT)) {
		return unitAndPdu.length === 3 ? null : 'an exception of a wrong length';
	}
	if (functionCode !== expected.functionCode) return `function ${functionCode} in the reply`;
	const { head, bodyBytes } = expected;
	if (unitAndPdu.length !== 2 + bodyBytes) return `${unitAndPdu.length - 2} bytes in the reply, ${bodyBytes} expected`;
	if (head.every((byte, at) => unitAndPdu[2 + at] === byte)) return null;
	return head.length > 1 ? 'the echo of another write' : `a byte count of ${unitAndPdu[2]}, ${head[0]} expected`;
}
