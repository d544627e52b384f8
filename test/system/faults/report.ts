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
			`  ${counts.declared} lost and declared, ${counts.explained} never promised and lost by a fault, at most ${counts.worstLossMs} ms before it`,
			`  ledger: ${receivedSamples} samples in ${epochs} epochs, holes ${JSON.stringify(holes)}; drained in ${drainedMs} ms`,
		);
	}
	for (const complaint of complaints.slice(0, 20)) lines.push(`  WRONG ${complaint}`);
	if (keptIn !== null) lines.push(`  folders kept in ${keptIn}; again: npm run faults -- --seed ${seed} --count ${faults}`);
	return lines;
}
