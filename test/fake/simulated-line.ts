import type {
	ModbusAnswer,
	ModbusExchange,
	ModbusLine,
	ModbusRequest,
} from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { dataBytes, isRead } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import {
	closedFault,
	corruptFault,
	exceptionFault,
	timeoutFault,
} from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { SimulatedTime } from './simulated-time.ts';

/** What the simulated device does with a request: data after some time, an exception or damaged bytes after some time, or nothing. */
export type SimulatedReply =
	| {
			readonly afterMs: number;
			readonly exception?: number;
			readonly isDamaged?: boolean;
			/** What a register holds; absent: its address. */
			readonly register?: (address: number) => number;
	  }
	| 'silence';

export type SimulatedSlave = (request: ModbusRequest) => SimulatedReply;

export interface SimulatedLine {
	readonly createLine: () => ModbusLine & { readonly depth: number };
	/** Requests that reached the line, with their instants, monotonic, ms. */
	readonly asked: readonly { readonly request: ModbusExchange; readonly atMs: number }[];
	/** Requests under way at once, at most so far. */
	readonly mostUnderWay: number;
	readonly opened: number;
	readonly isOpen: boolean;
	/** Ends the connection with this reason. */
	lose(reason: string | null): void;
	/** Lines refuse to open with this from now on; `null`: they open. */
	refuse(reason: string | null): void;
}

function dataOf(request: ModbusExchange, register = (address: number): number => address): Buffer {
	if (!isRead(request)) return Buffer.alloc(0);
	const data = Buffer.alloc(dataBytes(request.functionCode, request.count));
	if (request.functionCode > 2) {
		for (let i = 0; i < request.count; i += 1) data.writeUInt16BE(register(request.address + i) & 0xffff, 2 * i);
	}
	return data;
}

/** A Modbus line in simulated time: registers hold their address. */
export function createSimulatedLine(time: SimulatedTime, slave: SimulatedSlave, depth = 1): SimulatedLine {
	const asked: { readonly request: ModbusExchange; readonly atMs: number }[] = [];
	const state = { underWay: 0, most: 0, opened: 0, isOpen: false, refusal: null as string | null };
	/** Ends what is under way. */
	const closed = new Set<() => void>();
	let lose: ((reason: string | null) => void) | null = null;

	async function transact(request: ModbusExchange): Promise<ModbusAnswer> {
		const startMs = time.clock.monotonicMs();
		asked.push({ request, atMs: startMs });
		state.underWay += 1;
		state.most = Math.max(state.most, state.underWay);
		try {
			const reply: SimulatedReply = isRead(request) ? slave(request) : { afterMs: 10 };
			if (reply === 'silence' || reply.afterMs > request.timeoutMs) {
				await sleepWhileOpen(request.timeoutMs);
				throw timeoutFault(request);
			}
			await sleepWhileOpen(reply.afterMs);
			if (reply.exception !== undefined) throw exceptionFault(request, reply.exception);
			if (reply.isDamaged === true) throw corruptFault(request, 'a wrong CRC');
			const latencyMs = time.clock.monotonicMs() - startMs;
			return { data: dataOf(request, reply.register), readAt: time.clock.now(), latencyMs };
		} finally {
			state.underWay -= 1;
		}
	}

	/** @throws ModbusFault `closed` as soon as the line is closed */
	function sleepWhileOpen(ms: number): Promise<void> {
		return new Promise((resolve, reject) => {
			const end = (): void => {
				cancel();
				reject(closedFault('the line was closed'));
			};
			const cancel = time.setTimer(() => {
				closed.delete(end);
				resolve();
			}, ms);
			closed.add(end);
		});
	}

	function close(): void {
		state.isOpen = false;
		for (const end of closed) end();
		closed.clear();
	}

	return {
		createLine: () => ({
			depth,
			open(_signal, lost) {
				if (state.refusal !== null) return Promise.reject(new Error(state.refusal));
				state.opened += 1;
				state.isOpen = true;
				lose = lost;
				return Promise.resolve();
			},
			transact,
			close() {
				close();
				return Promise.resolve();
			},
		}),
		asked,
		get mostUnderWay() {
			return state.most;
		},
		get opened() {
			return state.opened;
		},
		get isOpen() {
			return state.isOpen;
		},
		lose(reason) {
			close();
			lose?.(reason);
		},
		refuse(reason) {
			state.refusal = reason;
		},
	};
}
