import type { Line } from '../../config/connection/connection.ts';
import type { TemplateDocument } from '../../config/template/template.ts';
import { isNamedIn, rankCandidates } from './candidate-rank.ts';
import { deviceWords, type DiscoverSunspec, wordsOf } from './device-words.ts';
import { createProbeRound, type TemplateVerdict } from './probe-round.ts';
import type { FoundUnit } from './scan.ts';
import { unitHints } from './wiring-hints.ts';
import type { Witness } from './witness.ts';

/** Reads of template probes for one unit, at most: a few seconds of a slow line. */
const MOST_PROBES = 64;
/** Silent reads in a row after which a unit is asked no more probes: some devices answer only what they have. */
const MOST_SILENT = 6;

/** Reads of the same registers that show whether answers are always the same way; short ones, and long ones. */
const SHORT_CHECKS = 6;
const LONG_CHECKS = 2;
const SHORT_COUNT = 2;
const LONG_COUNT = 40;

export interface IdentifyDeps {
	/** All that are installed, at this moment. */
	readonly templates: () => Iterable<TemplateDocument>;
	readonly discoverSunspec: DiscoverSunspec;
}

export interface UnitPlace {
	readonly unitId: number;
	readonly line: Line;
	readonly timeoutMs: number;
}

/** Learns all that can be learnt of a unit without changing anything in it. */
export type IdentifyUnit = (witness: Witness, place: UnitPlace) => Promise<FoundUnit>;

function median(numbers: readonly number[]): number | null {
	const sorted = numbers.toSorted((one, other) => one - other);
	const middle = sorted[Math.floor(sorted.length / 2)];
	return middle === undefined ? null : Number(middle.toFixed(1));
}

/** Reads the same registers again and again: the wiring shows itself in what differs. */
async function check(witness: Witness, { unitId, timeoutMs }: UnitPlace): Promise<void> {
	for (let k = 0; k < SHORT_CHECKS + LONG_CHECKS; k += 1) {
		const count = k < SHORT_CHECKS ? SHORT_COUNT : LONG_COUNT;
		await witness.ask({ unitId, functionCode: 3, address: 0, count, timeoutMs });
	}
}

export function createIdentifyUnit({ templates, discoverSunspec }: IdentifyDeps): IdentifyUnit {
	async function probe(
		witness: Witness,
		{ unitId, timeoutMs }: UnitPlace,
		words: string,
	): Promise<readonly TemplateVerdict[]> {
		const isFavoured = (template: TemplateDocument): boolean => isNamedIn(words, template);
		const round = createProbeRound([...templates()], { mostReads: MOST_PROBES, isFavoured });
		let silent = 0;
		for (let read = round.next(); read !== null && silent < MOST_SILENT; read = round.next()) {
			const outcome = await witness.ask({ unitId, ...read, timeoutMs });
			silent = outcome.kind === 'silent' ? silent + 1 : 0;
			round.settle(read, outcome.kind === 'answer' ? outcome.answer.data : null);
		}
		return round.verdicts();
	}

	return async (witness, place) => {
		await check(witness, place);
		const identification = await deviceWords(witness, place, discoverSunspec);
		const words = wordsOf(identification);
		const verdicts = await probe(witness, place, words);
		const evidence = witness.evidenceOf(place.unitId);
		return {
			unitId: place.unitId,
			line: place.line,
			latencyMs: median(evidence.latenciesMs),
			identification,
			candidates: rankCandidates(templates(), verdicts, words),
			hints: unitHints(evidence, place.line.transport !== 'tcp'),
		};
	};
}
