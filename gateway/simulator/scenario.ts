import type { LineFault } from './line-fault.ts';

/** From the first to the last of something, both included. */
export interface Span {
	readonly from: number;
	readonly to: number;
}

/** When a rule of a scenario holds; what is absent holds always. */
export interface FaultCondition {
	/** Number of the request on this line, the first being 1. */
	readonly request?: Span;
	/** Every so many requests of those that fit otherwise, the first being the one of this number. */
	readonly every?: number;
	readonly unit?: Span;
	readonly function?: Span;
	/** Register or bit the request begins with. */
	readonly address?: Span;
	/** Since the line was started, s. */
	readonly seconds?: Span;
}

export interface ScenarioRule {
	readonly when: FaultCondition;
	readonly fault: LineFault;
	/** How often it is done; `null`: for ever. */
	readonly times: number | null;
}

/** What goes wrong on a line, and when: the first rule that holds is done. */
export interface Scenario {
	readonly rules: readonly ScenarioRule[];
}

/** One request as rules look at it. */
export interface SeenRequest {
	readonly unitId: number;
	readonly pdu: Buffer;
	/** Since the start of the line, s. */
	readonly seconds: number;
}

/** A scenario that is being played; it counts requests. */
export interface PlayedScenario {
	/** The fault of this request; `null`: none. */
	next(request: SeenRequest): LineFault | null;
}

const isIn = (span: Span | undefined, value: number): boolean =>
	span === undefined || (value >= span.from && value <= span.to);

/** Functions whose request does not begin with an address. */
const WITHOUT_ADDRESS: ReadonlySet<number> = new Set([7, 11, 12, 17, 43]);

function holds(
	{ request, unit, function: functions, address, seconds }: FaultCondition,
	number: number,
	seen: SeenRequest,
): boolean {
	const { unitId, pdu } = seen;
	const functionCode = pdu[0] ?? 0;
	const hasAddress = pdu.length >= 3 && !WITHOUT_ADDRESS.has(functionCode);
	return (
		isIn(request, number) &&
		isIn(unit, unitId) &&
		isIn(functions, functionCode) &&
		isIn(seconds, seen.seconds) &&
		(address === undefined || (hasAddress && isIn(address, pdu.readUInt16BE(1))))
	);
}

export function playScenario({ rules }: Scenario): PlayedScenario {
	const states = rules.map((rule) => ({ rule, fitting: 0, done: 0 }));
	let number = 0;
	return {
		next(seen) {
			number += 1;
			for (const state of states) {
				const { when, times, fault } = state.rule;
				if ((times !== null && state.done >= times) || !holds(when, number, seen)) continue;
				state.fitting += 1;
				if (when.every !== undefined && state.fitting % when.every !== 0) continue;
				state.done += 1;
				return fault;
			}
			return null;
		},
	};
}
