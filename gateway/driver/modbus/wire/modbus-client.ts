import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import type { FramePort } from './frame-port.ts';
import { openInTime } from './line-opening.ts';
import { closedFault, corruptFault, exceptionFault, type ModbusFault, timeoutFault } from './modbus-fault.ts';
import type { ModbusAnswer, ModbusExchange } from './modbus-line.ts';
import { exceptionCodeOf, replyData } from './reply-pdu.ts';
import { createRequestTimer } from './request-timer.ts';

/** One exchange after the other over a frame port: request out, provable reply in, or a ModbusFault in time. */
export interface ModbusClient {
	/** @throws Fault with a sentence that says why the link cannot be used. */
	open(signal: AbortSignal, lost: (reason: string | null) => void): Promise<void>;
	/** @throws ModbusFault; always settles. */
	exchange(request: ModbusExchange): Promise<ModbusAnswer>;
	close(): Promise<void>;
}

interface ModbusClientDeps {
	/** Fresh, used by this client only. */
	readonly port: FramePort;
	readonly clock: Clock;
	readonly meter: LineMeter;
	/** Time on the wire that is added to the timeout of a request, ms. */
	readonly wireMs: (request: ModbusExchange) => number;
}

interface Pending {
	readonly request: ModbusExchange;
	/** Longest wait, ms: from the call, and anew from the instant at which the line let the request go out. */
	readonly patienceMs: number;
	readonly askedMs: number;
	/** Counter of the line when it was asked. */
	readonly noiseBytes: number;
	readonly resolve: (answer: ModbusAnswer) => void;
	readonly reject: (fault: ModbusFault) => void;
}

export function createModbusClient({ port, clock, meter, wireMs }: ModbusClientDeps): ModbusClient {
	const { counters } = meter;
	let pending: Pending | null = null;
	let endReason: string | null = null;

	function take(): Pending | null {
		const taken = pending;
		pending = null;
		if (taken !== null) port.abandon();
		return taken;
	}

	const timer = createRequestTimer(clock, (dueBeforeMs) => {
		if (pending === null) return Infinity;
		const dueMs = Math.max(pending.askedMs, port.sentAtMs) + pending.patienceMs;
		if (dueMs > dueBeforeMs) return dueMs;
		counters.timeouts += 1;
		const { request, noiseBytes, reject } = pending;
		// The port takes apart what is left when it gives the request up.
		take();
		reject(timeoutFault(request, counters.noiseBytes - noiseBytes));
		return Infinity;
	});

	function end(reason: string): void {
		endReason ??= reason;
		timer.stop();
		take()?.reject(closedFault(endReason));
	}

	function reply(pdu: Buffer): void {
		const readAt = clock.now();
		const latencyMs = clock.monotonicMs() - port.sentAtMs;
		const taken = take();
		if (taken === null) return;
		const { request, resolve, reject } = taken;
		meter.latency.add(latencyMs);
		const exceptionCode = exceptionCodeOf(pdu, 0);
		if (exceptionCode === null) {
			counters.answers += 1;
			resolve({ data: replyData(request, pdu, 0, pdu.length), readAt, latencyMs });
		} else {
			counters.exceptions += 1;
			reject(exceptionFault(request, exceptionCode));
		}
	}

	function corrupt(why: string): void {
		const taken = take();
		if (taken !== null) taken.reject(corruptFault(taken.request, why));
	}

	return {
		open(signal, lost) {
			const opening = port.open({
				reply,
				corrupt,
				lost(reason) {
					if (endReason !== null) return;
					end(reason);
					lost(reason);
				},
			});
			return openInTime(opening, signal);
		},
		exchange(request) {
			return new Promise((resolve, reject) => {
				if (endReason !== null) {
					reject(closedFault(endReason));
					return;
				}
				const askedMs = clock.monotonicMs();
				const patienceMs = request.timeoutMs + wireMs(request);
				port.send(request);
				pending = { request, patienceMs, askedMs, noiseBytes: counters.noiseBytes, resolve, reject };
				counters.requests += 1;
				timer.expectBy(askedMs + patienceMs);
			});
		},
		close() {
			end('the line was closed');
			return port.close();
		},
	};
}
