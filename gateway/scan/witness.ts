import { ModbusFault } from '../driver/modbus/wire/modbus-fault.ts';
import { dataBytes, isRead, type ModbusAnswer, type ModbusExchange } from '../driver/modbus/wire/modbus-line.ts';
import type { ScanLine } from './scan-line.ts';
import type { UnitEvidence } from './wiring-hints.ts';

/** Longest data that counts as short, bytes. */
const SHORT_BYTES = 16;

/** Answers of a unit that are remembered. */
const MOST_LATENCIES = 64;

/** What became of one request, as far as a scan cares. */
export type Outcome =
	| { readonly kind: 'answer'; readonly answer: ModbusAnswer }
	/** The device refused; the code is that of the specification. */
	| { readonly kind: 'exception'; readonly code: number }
	| { readonly kind: 'silent' }
	| { readonly kind: 'damaged' };

interface Tally {
	answers: number;
	timeouts: number;
	damagedShort: number;
	damagedLong: number;
	longAnswers: number;
	strayFrames: number;
	readonly latenciesMs: number[];
}

/** How much a counter grew; one that starts anew with its line has counted what it shows. */
const grown = (now: number, before: number): number => (now >= before ? now - before : now);

/** Asks on a line and remembers what came, unit by unit. */
export interface Witness {
	/** @throws Fault when the line cannot be used any more, or the signal was aborted */
	ask(exchange: ModbusExchange): Promise<Outcome>;
	evidenceOf(unitId: number): UnitEvidence;
	/** Bursts of stray bytes since the beginning. */
	strayFrames(): number;
}

const isLong = (exchange: ModbusExchange): boolean =>
	isRead(exchange) && dataBytes(exchange.functionCode, exchange.count) > SHORT_BYTES;

export function createWitness(line: ScanLine, signal: AbortSignal): Witness {
	const tallies = new Map<number, Tally>();
	const before = line.evidence().strayFrames;

	function tallyOf(unitId: number): Tally {
		let tally = tallies.get(unitId);
		if (tally === undefined) {
			tally = {
				answers: 0,
				timeouts: 0,
				damagedShort: 0,
				damagedLong: 0,
				longAnswers: 0,
				strayFrames: 0,
				latenciesMs: [],
			};
			tallies.set(unitId, tally);
		}
		return tally;
	}

	function noteAnswer(tally: Tally, exchange: ModbusExchange, latencyMs: number | null): void {
		tally.answers += 1;
		if (isLong(exchange)) tally.longAnswers += 1;
		if (latencyMs !== null && tally.latenciesMs.length < MOST_LATENCIES) tally.latenciesMs.push(latencyMs);
	}

	function outcomeOf(fault: unknown, tally: Tally, exchange: ModbusExchange): Outcome {
		if (!(fault instanceof ModbusFault) || fault.failure === 'closed') throw fault;
		if (fault.exceptionCode !== null) {
			noteAnswer(tally, exchange, null);
			return { kind: 'exception', code: fault.exceptionCode };
		}
		if (fault.failure === 'corrupt') {
			// Identifications come in forms of the makers' own, which is no fault of the wire.
			if (isLong(exchange)) tally.damagedLong += 1;
			else if (isRead(exchange)) tally.damagedShort += 1;
			return { kind: 'damaged' };
		}
		tally.timeouts += 1;
		return { kind: 'silent' };
	}

	return {
		async ask(exchange) {
			const tally = tallyOf(exchange.unitId);
			const strays = line.evidence().strayFrames;
			try {
				const answer = await line.request(exchange, signal);
				noteAnswer(tally, exchange, answer.latencyMs);
				return { kind: 'answer', answer };
			} catch (fault) {
				return outcomeOf(fault, tally, exchange);
			} finally {
				tally.strayFrames += grown(line.evidence().strayFrames, strays);
			}
		},
		evidenceOf: (unitId) => ({ unitId, ...tallyOf(unitId) }),
		strayFrames: () => grown(line.evidence().strayFrames, before),
	};
}
