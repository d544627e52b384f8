import type { PowerCutReport } from '../power-cut/power-cut-run.ts';
import type { RoundReport } from './fault-round.ts';

/** A round in a few lines for people. */
export function sayReport({ seed, faults, byKind, examination, complaints, keptIn }: RoundReport): readonly string[] {
	const kinds = Object.entries(byKind)
		.toSorted(([one], [other]) => one.localeCompare(other))
		.map(([kind, count]) => `${kind} ${count}`);
	const lines = [`seed ${seed}: ${faults} faults: ${kinds.join(', ')}`];
	if (examination !== null) {
		const { counts, receivedSamples, epochs, holes, drainedMs } = examination;
		lines.push(
			`  ${counts.given} values given, ${counts.acknowledged} acknowledged; ${counts.atHub} at the hub, ${counts.atGateway} at the gateway`,
			`  ${counts.declared} lost and declared, ${counts.declaredAndKept} of them still at the gateway; ${counts.gaveWay} let go by a gateway without room, ${counts.thinned} by a hub; ${counts.explained} never promised and lost by a fault, at most ${counts.worstLossMs} ms before it`,
			`  ledger: ${receivedSamples} samples in ${epochs} epochs, holes ${JSON.stringify(holes)}; drained in ${drainedMs} ms`,
		);
	}
	for (const complaint of complaints.slice(0, 20)) lines.push(`  WRONG ${complaint}`);
	if (keptIn !== null)
		lines.push(`  folders kept in ${keptIn}; again: npm run faults -- --seed ${seed} --count ${faults}`);
	return lines;
}

/** Power cuts in a few lines for people. */
export function sayCuts(seed: number, { records, flushes, cuts }: PowerCutReport): readonly string[] {
	const examined = cuts.flatMap(({ examination }) => examination ?? []);
	const sum = (pick: (one: (typeof examined)[number]) => number): number =>
		examined.reduce((total, one) => total + pick(one), 0);
	const worst = Math.round(Math.max(0, ...examined.map(({ counts }) => counts.worstLossMs)));
	const of = (victims: string): number => cuts.filter((cut) => cut.victims.join('+') === victims).length;
	const lines = [
		`seed ${seed}: ${cuts.length} power cuts in a record of ${records} changes and ${flushes} flushes: gateway ${of('gateway')}, hub ${of('hub')}, both ${of('gateway+hub')}`,
		`  all opened; ${examined.length} examined: ${sum(({ counts }) => counts.acknowledged)} acknowledged values were held against both stores`,
		`  what was lost was never promised, and at most ${worst} ms old`,
	];
	const wrong = cuts.find(({ complaints }) => complaints.length > 0);
	if (wrong === undefined) return lines;
	return [
		`seed ${seed}: cut ${wrong.index} at record ${wrong.place} of ${wrong.victims.join(' and ')}`,
		...wrong.complaints.slice(0, 20).map((complaint) => `  WRONG ${complaint}`),
		`  again: npm run faults -- --kinds power-cut --seed ${seed} --count ${cuts.length}`,
	];
}
