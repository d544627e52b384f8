import ModbusRTU from 'modbus-serial';
import type { ReadFunction } from '../../../../config/template/template.ts';
import type { Clock } from '../../../../core/kernel/clock.ts';
import { Fault } from '../../../../core/kernel/fault.ts';
import type { LineMeter } from '../../line-meter.ts';
import { closedFault, corruptFault, exceptionFault, type ModbusFault, timeoutFault } from './modbus-fault.ts';
import { isRead, type ModbusAnswer, type ModbusExchange, type ModbusRequest, type ModbusWrite } from './modbus-line.ts';
import type { ModbusPort } from './modbus-port.ts';

/** Longest wait for a connection or a port to open. */
const OPEN_MS = 5000;

/** A timer that fires this late says that the process stood still, and that replies may wait unread. */
const STALL_MS = 10;
/** Time to read them then: a serial port takes some turns of the event loop to hand over its bytes. */
const AFTER_STALL_MS = 25;

const NO_DATA = Buffer.alloc(0);

type ReadClient = InstanceType<typeof ModbusRTU.default>;
/** What the library makes of a reply: the data of a read; of a write what it echoes. */
type Done = (error: Error | null, result: { readonly buffer?: Buffer } | undefined) => void;
type Read = (client: ReadClient, request: ModbusRequest, done: Done) => void;
type Write = (client: ReadClient, request: ModbusWrite, done: Done) => void;

const reads: Readonly<Record<ReadFunction, Read>> = {
	1: (client, { unitId, address, count }, done) => client.writeFC1(unitId, address, count, done),
	2: (client, { unitId, address, count }, done) => client.writeFC2(unitId, address, count, done),
	3: (client, { unitId, address, count }, done) => client.writeFC3(unitId, address, count, done),
	4: (client, { unitId, address, count }, done) => client.writeFC4(unitId, address, count, done),
};

/** The ports let only the exact echo pass, so what the library reads out of it needs no second look. */
const writes: Readonly<Partial<Record<number, Write>>> = {
	5: (client, { unitId, address, words }, done) =>
		client.writeFC5(unitId, address, words[0] === 1, (error) => done(error, {})),
	6: (client, { unitId, address, words }, done) =>
		client.writeFC6(unitId, address, words[0] ?? 0, (error) => done(error, {})),
	16: (client, { unitId, address, words }, done) =>
		client.writeFC16(unitId, address, [...words], (error) => done(error, {})),
};

function start(client: ReadClient, exchange: ModbusExchange, done: Done): void {
	if (isRead(exchange)) return reads[exchange.functionCode](client, exchange, done);
	const write = writes[exchange.functionCode];
	if ('words' in exchange && exchange.functionCode !== 23 && write !== undefined) return write(client, exchange, done);
	done(new Error('a function this line does not know'), undefined);
}

/** The exception code, where the library found one. */
const exceptionCodeOf = (error: Error): number | null =>
	'modbusCode' in error && typeof error.modbusCode === 'number' ? error.modbusCode : null;

/** One exchange after the other over a port: request out, provable reply in, or a ModbusFault in time. */
export interface ModbusClient {
	open(signal: AbortSignal, lost: (reason: string | null) => void): Promise<void>;
	/** @throws ModbusFault; always settles. */
	exchange(request: ModbusExchange): Promise<ModbusAnswer>;
	close(): Promise<void>;
}

interface ModbusClientDeps {
	/** Fresh, used by this client only. */
	readonly port: ModbusPort;
	readonly clock: Clock;
	readonly meter: LineMeter;
	/** Time on the wire that is added to the timeout of a request, ms. */
	readonly wireMs: (request: ModbusExchange) => number;
}

/**
 * Calls `expired` after `waitMs`, but never before the replies that already wait in the kernel were handed out: timers
 * run before arrivals, so after a stall of the process a deadline would otherwise pass on answered requests.
 */
function deadline(clock: Clock, waitMs: number, expired: () => void): () => void {
	const dueMs = clock.monotonicMs() + waitMs;
	let immediate: NodeJS.Immediate | null = null;
	const verdict = (): void => {
		immediate = setImmediate(expired);
	};
	let timer = setTimeout(() => {
		if (clock.monotonicMs() - dueMs < STALL_MS) verdict();
		else timer = setTimeout(verdict, AFTER_STALL_MS);
	}, waitMs);
	return () => {
		clearTimeout(timer);
		if (immediate !== null) clearImmediate(immediate);
	};
}

export function createModbusClient({ port, clock, meter, wireMs }: ModbusClientDeps): ModbusClient {
	const client: ReadClient = new ModbusRTU.default(port);
	const { counters } = meter;
	let failPending: ((fault: ModbusFault) => void) | null = null;
	let pending: ModbusExchange | null = null;
	let endReason: string | null = null;

	port.on('corrupt', (why) => {
		if (pending !== null) failPending?.(corruptFault(pending, why));
	});

	function end(reason: string): void {
		endReason ??= reason;
		failPending?.(closedFault(endReason));
	}

	function open(signal: AbortSignal, lost: (reason: string | null) => void): Promise<void> {
		return new Promise((resolve, reject) => {
			const settle = (error: Error | null): void => {
				clearTimeout(timer);
				signal.removeEventListener('abort', abort);
				if (error === null) resolve();
				else reject(error);
			};
			const abort = (): void => settle(new Fault('unavailable', 'the line was closed while it was being opened'));
			const timer = setTimeout(
				() =>
					settle(
						new Fault(
							'timeout',
							`the line did not open within ${OPEN_MS / 1000} s: check power, cable and address (ETIMEDOUT)`,
						),
					),
				OPEN_MS,
			);
			signal.addEventListener('abort', abort);
			port.once('lost', (reason) => {
				end(reason ?? 'the connection is made anew');
				lost(reason);
			});
			client.open(settle);
		});
	}

	function exchange(request: ModbusExchange): Promise<ModbusAnswer> {
		return new Promise((resolve, reject) => {
			if (endReason !== null) {
				reject(closedFault(endReason));
				return;
			}
			const finish = (): void => {
				cancel();
				port.abandon();
				failPending = null;
				pending = null;
			};
			const fail = (fault: Fault): void => {
				finish();
				reject(fault);
			};
			const cancel = deadline(clock, request.timeoutMs + wireMs(request), () => {
				counters.timeouts += 1;
				fail(timeoutFault(request));
			});
			failPending = fail;
			pending = request;
			counters.requests += 1;
			start(client, request, (error, result) => {
				const readAt = clock.now();
				const latencyMs = clock.monotonicMs() - port.sentAtMs;
				const exceptionCode = error === null ? null : exceptionCodeOf(error);
				const isAnswered = error === null && result !== undefined;
				if (isAnswered || exceptionCode !== null) meter.latency.add(latencyMs);
				if (exceptionCode !== null) {
					counters.exceptions += 1;
					fail(exceptionFault(request, exceptionCode));
				} else if (!isAnswered) {
					fail(corruptFault(request, error?.message ?? 'nothing'));
				} else {
					counters.answers += 1;
					finish();
					resolve({ data: result.buffer ?? NO_DATA, readAt, latencyMs });
				}
			});
		});
	}

	function close(): Promise<void> {
		end('the line was closed');
		return new Promise((resolve) => {
			client.close(resolve);
		});
	}

	return { open, exchange, close };
}
