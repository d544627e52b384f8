import type { Clock } from '../../core/kernel/clock.ts';
import { type Deed, deedsOf } from './line-fault.ts';
import type { ModbusSlave, Reply } from './modbus-slave.ts';
import { GATEWAY_TARGET_FAILED } from './register-image.ts';
import type { PlayedScenario } from './scenario.ts';
import { exceptionPdu } from './slave-pdu.ts';
import type { LineRequest, SlaveFraming } from './slave-framing.ts';

/** Decides what a line does about each request. One for all connections of the line. */
export interface Responder {
	respond(request: LineRequest, framing: SlaveFraming): readonly Deed[];
}

/** Where the bytes of one connection go. */
export interface SlaveOutput {
	write(bytes: Buffer): void;
	/** Ends the connection with a reset; a serial port has none. */
	reset(): void;
}

/** One connection of a slave: bytes in, deeds out. */
export interface SlaveConnection {
	/** @throws RangeError when the bytes are no frames and never will be */
	receive(chunk: Buffer): void;
	/** What was not sent yet never is. */
	stop(): void;
}

/** Start bit, 8 data bits, parity or second stop bit, stop bit (Modbus over serial line, 2.5.1). */
const BITS_PER_CHARACTER = 11;
const GAP_CHARACTERS = 3.5;

/** A request to all units, on a line without a gateway of its own. */
const BROADCAST = 0;

export interface ResponderDeps {
	readonly slave: ModbusSlave;
	readonly clock: Clock;
	/** `null`: nothing goes wrong. */
	readonly scenario: PlayedScenario | null;
	/** Units that are played here; only needed for broadcasts. */
	readonly unitIds?: readonly number[];
	/** Rate of a line whose answers take the time of their characters; `null`: they leave at once. */
	readonly pacedBaud: number | null;
}

/** Answers from the registers of the units, with the faults of the scenario. */
export function createResponder({ slave, clock, scenario, unitIds = [], pacedBaud }: ResponderDeps): Responder {
	const startMs = clock.monotonicMs();
	const msPerCharacter = pacedBaud === null ? 0 : (BITS_PER_CHARACTER * 1000) / pacedBaud;

	function nobody(request: LineRequest, framing: SlaveFraming): readonly Deed[] {
		const { unitId, pdu } = request;
		if (framing.name === 'tcp') {
			const refusal = exceptionPdu(pdu[0] ?? 0, GATEWAY_TARGET_FAILED);
			return [{ afterMs: 0, bytes: framing.frame({ ...request, pdu: refusal }) }];
		}
		if (unitId === BROADCAST) for (const each of unitIds) slave.reply(each, pdu);
		return [];
	}

	/** Request and answer as the frames they are: ASCII takes two characters a byte. */
	const lineMs = (request: LineRequest, { pdu }: Reply, framing: SlaveFraming): number =>
		(framing.frame(request).length + framing.frame({ ...request, pdu }).length + GAP_CHARACTERS) * msPerCharacter;

	return {
		respond(request, framing) {
			const { unitId, pdu } = request;
			const fault = scenario?.next({ unitId, pdu, seconds: (clock.monotonicMs() - startMs) / 1000 }) ?? null;
			if (!slave.has(unitId)) return nobody(request, framing);
			const reply = slave.reply(unitId, pdu);
			if (reply === null) return [];
			const spoiled = reply.isGarbage ? ({ kind: 'wrong-check' } as const) : null;
			const afterMs = reply.delayMs + (pacedBaud === null ? 0 : lineMs(request, reply, framing));
			return deedsOf(fault ?? spoiled, { framing, request, pdu: reply.pdu, afterMs });
		},
	};
}

/** Cuts what comes into requests and does at its time what the responder says. */
export function connectSlave(
	responder: Responder,
	framing: SlaveFraming,
	clock: Pick<Clock, 'monotonicMs'>,
	output: SlaveOutput,
): SlaveConnection {
	const cut = framing.cutter(clock);
	const pending = new Set<NodeJS.Timeout>();

	const perform = ({ bytes }: Deed): void => (bytes === null ? output.reset() : output.write(bytes));

	function plan(deed: Deed): void {
		if (deed.afterMs <= 0) {
			perform(deed);
			return;
		}
		const timer = setTimeout(() => {
			pending.delete(timer);
			perform(deed);
		}, deed.afterMs);
		pending.add(timer);
	}

	return {
		receive(chunk) {
			for (const request of cut(chunk)) for (const deed of responder.respond(request, framing)) plan(deed);
		},
		stop() {
			for (const timer of pending) clearTimeout(timer);
			pending.clear();
		},
	};
}
