import type { TelemetryRecord } from '../kit/telemetry.ts';
import { CLOCKS_APART_MS } from '../kit/read-counter.ts';
import type { ClockSpan, DeviceTruth, Occurrence, Span } from './truth.ts';

/** What may be wrong, and where. The first of each kind are named. */
export interface Verdict {
	/** Acknowledged, or read while nothing was wrong, and not there. */
	readonly lost: readonly string[];
	readonly twice: readonly string[];
	/** Under a wrong name, with a value that was never given, or with an instant at which it was not read. */
	readonly misattributed: readonly string[];
	/** The hub and the gateway tell different things of the same record. */
	readonly different: readonly string[];
	readonly counts: Counts;
}

export interface Counts {
	/** Values that were read or published. */
	readonly given: number;
	readonly acknowledged: number;
	readonly atHub: number;
	readonly atGateway: number;
	/** Not there, and the ledger says why. */
	readonly declared: number;
	/** Of them, those that the gateway still has. */
	readonly declaredAndKept: number;
	/** At the hub, and let go by a gateway that had no room, which says so. */
	readonly gaveWay: number;
	/** Let go by a hub that had no room, which says so. */
	readonly thinned: number;
	/** What of each budget was needed, samples. */
	readonly spent: Budget;
	/** Not there, never promised, and a fault explains it. */
	readonly explained: number;
	/** Age of the oldest of those at the beginning of what took it, ms: what a death has cost. */
	readonly worstLossMs: number;
}

/** Samples that are not there and that somebody has said so of, without their ids. Each may excuse the loss of as many, once. */
export interface Budget {
	/** Those that the ledger counts as lost. */
	readonly declared: number;
	/** Those that the gateway had on disk and let go of for their space, or its journal for its quota. */
	readonly gatewayLetGo: number;
	/** Those that the hub had on disk and let go of for their space. */
	readonly hubLetGo: number;
}

export interface Evidence {
	readonly truth: DeviceTruth;
	readonly atHub: readonly TelemetryRecord[];
	readonly atGateway: readonly TelemetryRecord[];
	/** Where a clock stood wrong that the gateway may have gone by. */
	readonly clocks: readonly ClockSpan[];
	/** Times in which the gateway was dead or dumb: what it read then and was not promised may be lost. */
	readonly deaths: readonly Span[];
	/** Times whose values the gateway itself has forgotten: it was put back to an older state. */
	readonly forgotten: readonly Span[];
	/** Times in which the gateway's disk was full: it has not taken what it had not promised. */
	readonly full: readonly Span[];
	/** Ids of the records that the ledger says are lost. */
	readonly declaredIds: ReadonlySet<string>;
	readonly budget: Budget;
}

/** Longest time between a value and the flush that makes it durable (`journal.flush_interval_ms`), and the flush itself on a busy machine. */
const UNFLUSHED_MS = 1_000;
const FLUSH_MS = 500;
/** A clock takes its jump within this time, and what it stamps is then rebased to somewhat less than a second. */
const CLOCK_LAG_MS = 2_500;
const REBASED_WITHIN_MS = 1_000;
/** Error of a time that the hub has said, beyond half of the round trip: a gateway whose clock has jumped may go by it from then on. */
const HUB_TIME_WITHIN_MS = 1_000;
/** Values of one record. */
const VALUES = 3;
const MOST_NAMED = 20;

function isPlausible(at: number, { fromMs, toMs }: Span, clocks: readonly ClockSpan[]): boolean {
	if (at >= fromMs - CLOCKS_APART_MS && at <= toMs + CLOCKS_APART_MS) return true;
	const isOfHub = clocks.some((span) => span.fromMs - CLOCK_LAG_MS <= fromMs);
	if (isOfHub && at >= fromMs - HUB_TIME_WITHIN_MS && at <= toMs + HUB_TIME_WITHIN_MS) return true;
	const wrong = clocks.filter((span) => span.fromMs - CLOCK_LAG_MS <= fromMs && fromMs <= span.toMs + CLOCK_LAG_MS);
	return [0, ...wrong.map(({ offsetMs }) => offsetMs)].some(
		(offsetMs) =>
			wrong.length > 0 && at >= fromMs + offsetMs - REBASED_WITHIN_MS && at <= toMs + offsetMs + REBASED_WITHIN_MS,
	);
}

/** A list that keeps the first few of what it is told. */
function createFindings() {
	const list: string[] = [];
	return { list, add: (text: string) => void (list.length < MOST_NAMED && list.push(text)) };
}

/** The span that an instant is in, or so shortly before; of several the one that it is nearest to. */
const within = (atMs: number, spans: readonly Span[], beforeMs: number): Span | undefined =>
	spans
		.filter(({ fromMs, toMs }) => atMs >= fromMs - beforeMs && atMs <= toMs)
		.toSorted((one, other) => one.fromMs - other.fromMs)
		.at(0);

/** Numbers of the records of one store, with what is wrong in that store alone. */
function readStore(
	where: string,
	records: readonly TelemetryRecord[],
	{ truth, clocks }: Evidence,
	occurrences: ReadonlyMap<number, Occurrence>,
	findings: { readonly twice: (text: string) => void; readonly wrong: (text: string) => void },
): ReadonlyMap<number, TelemetryRecord> {
	const found = new Map<number, TelemetryRecord>();
	const ids = new Set<string>();
	for (const record of records) {
		const name = `${where}: ${truth.uid} ${record.id} of ${record.recorded_at}`;
		if (ids.has(record.id)) findings.twice(`${name} is listed twice`);
		ids.add(record.id);
		const mistake = truth.mistake(record);
		if (mistake !== null) findings.wrong(`${where}: ${truth.uid} ${mistake}`);
		const n = truth.numberOf(record);
		if (n === null) continue;
		const other = found.get(n);
		if (other !== undefined) findings.twice(`${name} is number ${n}, and so is ${other.id} of ${other.recorded_at}`);
		found.set(n, record);
		const occurrence = occurrences.get(n);
		if (occurrence === undefined) findings.wrong(`${name} has number ${n}, which was never given`);
		else if (!isPlausible(Date.parse(record.recorded_at), occurrence, clocks))
			findings.wrong(
				`${name} is number ${n}, which was given at ${new Date(occurrence.fromMs).toISOString()} and before ${
					Number.isFinite(occurrence.toMs) ? new Date(occurrence.toMs).toISOString() : 'now'
				}`,
			);
	}
	return found;
}

/** Holds what a device has really said against both stores, value by value. */
export function judge(evidence: Evidence): Verdict {
	const { truth, deaths, forgotten, full, declaredIds } = evidence;
	const [lost, twice, misattributed, different] = [
		createFindings(),
		createFindings(),
		createFindings(),
		createFindings(),
	];
	const occurrences = truth.occurrences();
	const byNumber = new Map(occurrences.map((one) => [one.n, one]));
	const notes = { twice: twice.add, wrong: misattributed.add };
	const hub = readStore('hub', evidence.atHub, evidence, byNumber, notes);
	const gateway = readStore('gateway', evidence.atGateway, evidence, byNumber, notes);
	const tally = { fault: 0, declared: 0, kept: 0, thinned: 0, gaveWay: 0 };
	let worstLossMs = 0;
	const spent = { declared: 0, gatewayLetGo: 0, hubLetGo: 0 };

	/** Takes a value from budgets, if each of them has one. */
	function spend(...names: readonly (keyof Budget)[]): boolean {
		if (names.some((name) => evidence.budget[name] - spent[name] < VALUES)) return false;
		for (const name of names) spent[name] += VALUES;
		return true;
	}

	/** It was never on the gateway's disk for long, or that has forgotten it, and a fault explains it. */
	function isFaults({ fromMs, isAcknowledged }: Occurrence): boolean {
		if (within(fromMs, forgotten, 0) !== undefined) return true;
		const death = isAcknowledged ? undefined : within(fromMs, deaths, UNFLUSHED_MS + FLUSH_MS);
		if (death !== undefined) worstLossMs = Math.max(worstLossMs, death.fromMs - fromMs);
		return death !== undefined;
	}

	const isRefused = ({ fromMs, isAcknowledged }: Occurrence): boolean =>
		!isAcknowledged && within(fromMs, full, UNFLUSHED_MS + FLUSH_MS) !== undefined;

	/** A value that is nowhere was refused by a full disk, or given up by the gateway; and the hub knows, or has given it up as well. */
	function excuse(one: Occurrence): 'fault' | 'declared' | 'thinned' | null {
		if (isFaults(one)) return 'fault';
		if (isRefused(one) && spend('declared')) return 'declared';
		if (spend('gatewayLetGo', 'declared')) return 'declared';
		return spend('gatewayLetGo', 'hubLetGo') ? 'thinned' : null;
	}

	/** A value that only the gateway has was declared lost before it was found, or the hub has given it up. */
	function excuseKept({ id }: TelemetryRecord): 'kept' | 'thinned' | null {
		if (declaredIds.has(id)) {
			spent.declared += VALUES;
			return 'kept';
		}
		return spend('hubLetGo') ? 'thinned' : null;
	}

	function checkHub(one: Occurrence, kept: TelemetryRecord | undefined): void {
		const why = kept === undefined ? excuse(one) : excuseKept(kept);
		if (why !== null) tally[why] += 1;
		// What was published and never acknowledged may be there or not.
		else if (kept !== undefined || one.isAcknowledged || truth.keepsAll)
			lost.add(
				`${truth.uid} number ${one.n} of ${new Date(one.fromMs).toISOString()} is not at the hub; the gateway ${
					kept === undefined ? 'does not have it either' : `has it as ${JSON.stringify(kept).slice(0, 200)}`
				}`,
			);
	}

	function checkGateway(one: Occurrence, atHub: TelemetryRecord): void {
		const isExcused =
			within(one.fromMs, forgotten, 0) !== undefined ||
			(!one.isAcknowledged && within(one.fromMs, deaths, UNFLUSHED_MS + FLUSH_MS) !== undefined);
		if (isExcused || isRefused(one) || declaredIds.has(atHub.id) || !(one.isAcknowledged || truth.keepsAll)) return;
		if (spend('gatewayLetGo')) {
			tally.gaveWay += 1;
			return;
		}
		lost.add(
			`${truth.uid} number ${one.n} of ${new Date(one.fromMs).toISOString()} is not at the gateway; the hub has it as ${JSON.stringify(atHub).slice(0, 200)}`,
		);
	}

	for (const one of occurrences) {
		const atHub = hub.get(one.n);
		const atGateway = gateway.get(one.n);
		if (atHub === undefined) checkHub(one, atGateway);
		else if (atGateway === undefined) checkGateway(one, atHub);
	}
	const hubById = new Map(evidence.atHub.map((record) => [record.id, record]));
	for (const record of evidence.atGateway) {
		const other = hubById.get(record.id);
		if (other === undefined) {
			if (truth.numberOf(record) === null && !declaredIds.has(record.id))
				lost.add(`${truth.uid} ${JSON.stringify(record).slice(0, 200)} is not at the hub`);
		} else if (JSON.stringify(other) !== JSON.stringify(record))
			different.add(
				`${truth.uid} ${record.id}: hub ${JSON.stringify(other).slice(0, 200)}, gateway ${JSON.stringify(record).slice(0, 200)}`,
			);
	}
	return {
		lost: lost.list,
		twice: twice.list,
		misattributed: misattributed.list,
		different: different.list,
		counts: {
			given: occurrences.length,
			acknowledged: occurrences.filter(({ isAcknowledged }) => isAcknowledged).length,
			atHub: hub.size,
			atGateway: gateway.size,
			declared: tally.declared + tally.kept,
			declaredAndKept: tally.kept,
			gaveWay: tally.gaveWay,
			thinned: tally.thinned,
			spent,
			explained: tally.fault,
			worstLossMs,
		},
	};
}
