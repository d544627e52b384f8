import type { TemplateDocument } from '../../config/template/template.ts';
import type { Candidate } from './scan.ts';
import type { TemplateVerdict } from './probe-round.ts';

/** Bits of evidence that halve the doubt. */
const BITS_PER_HALF = 5;
/** Doubt that is left when the device itself names maker and model, or only one of them. */
const NAMED_BOTH = 0.05;
const NAMED_ONE = 0.6;
/** Doubt that is left when it names itself and answers otherwise. */
const CONTRADICTED = 0.5;
/** Nobody has confirmed an unverified template. */
const UNVERIFIED = 0.8;
/** Only the type plate is certain. */
const MOST_CONFIDENCE = 0.99;
const LEAST_WORD = 3;
const MOST_CANDIDATES = 10;
/** Candidates whose evidence differs by less cannot be told apart. */
const SAME_BITS = 2;

const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

const says = (words: string, name: string): boolean => {
	const wanted = plain(name);
	return wanted.length >= LEAST_WORD && plain(words).includes(wanted);
};

interface Named {
	readonly maker: boolean;
	readonly model: string | null;
}

/** Whether a device says the name of the model, or of its maker, about itself. */
export function isNamedIn(words: string, template: TemplateDocument): boolean {
	const { maker, model } = namedIn(words, template);
	return maker || model !== null;
}

/** What of a template's name a device says about itself. Model names are looked for as a whole and by their first word. */
function namedIn(words: string, { manufacturer, model, variants }: TemplateDocument): Named {
	const names = [model, ...variants];
	const whole = names.find((name) => says(words, name));
	const first = names.map((name) => name.split(/[\s(/]/)[0] ?? '').find((name) => /\d/.test(name) && says(words, name));
	return { maker: says(words, manufacturer), model: whole ?? first ?? null };
}

const shown = (value: unknown): string =>
	typeof value === 'number' ? String(Number(value.toPrecision(6))) : String(value);

/** e.g. `Frequency reads 50.01 Hz`. */
const keptText = ({ kept }: TemplateVerdict): readonly string[] =>
	kept.map(({ name, value, unit }) => `${name} reads ${shown(value)} ${unit}`.trimEnd());

interface Weighed extends Candidate {
	readonly bits: number;
}

/** Sentences that tell a person why the template may fit. */
function reasons(
	template: TemplateDocument,
	verdict: TemplateVerdict | undefined,
	{ maker, model }: Named,
): readonly string[] {
	const why: string[] = [];
	if (maker && model !== null) why.push(`the device calls itself ${template.manufacturer} ${model}`);
	else if (maker) why.push(`the device names ${template.manufacturer} as its maker`);
	else if (model !== null) why.push(`the device calls itself ${model}`);
	why.push(...(verdict === undefined ? ['its registers do not answer like this template'] : keptText(verdict)));
	if (template.verification === 'unverified') why.push('the template itself is unverified');
	return why;
}

/** What is left of the doubt when the device says its name. */
function nameFactor({ maker, model }: Named): number {
	if (maker && model !== null) return NAMED_BOTH;
	return maker || model !== null ? NAMED_ONE : 1;
}

function weigh(template: TemplateDocument, verdict: TemplateVerdict | undefined, words: string): Weighed | null {
	const named = namedIn(words, template);
	if (verdict === undefined && !(named.maker && named.model !== null)) return null;
	const bits = verdict?.bits ?? 0;
	const doubt = 2 ** (-bits / BITS_PER_HALF) * nameFactor(named);
	// A device that names itself and fails the probes of its template is another version of it.
	const isContradicted = verdict === undefined && template.probe.length > 0;
	const trust = template.verification === 'unverified' ? UNVERIFIED : 1;
	const confidence = Math.min(MOST_CONFIDENCE, (1 - (isContradicted ? Math.max(doubt, CONTRADICTED) : doubt)) * trust);
	return {
		template: template.key,
		confidence: Number(confidence.toFixed(2)),
		why: reasons(template, verdict, named),
		bits,
	};
}

/** Says of candidates with the same evidence that they cannot be told apart. */
function withRivals(candidate: Weighed, all: readonly Weighed[]): Candidate {
	const { bits, ...rest } = candidate;
	const rivals = all.filter(
		(other) =>
			other !== candidate &&
			Math.abs(other.bits - bits) < SAME_BITS &&
			Math.abs(other.confidence - candidate.confidence) < 0.05,
	);
	if (rivals.length === 0) return rest;
	const names = rivals.slice(0, 3).map(({ template }) => template);
	return { ...rest, why: [...rest.why, `${names.join(', ')} would answer the same; the type plate decides`] };
}

/**
 * The templates that may fit a unit, the likeliest first.
 * @param words what the unit says about itself, in one text
 */
export function rankCandidates(
	templates: Iterable<TemplateDocument>,
	verdicts: readonly TemplateVerdict[],
	words: string,
): readonly Candidate[] {
	const verdictOf = new Map(verdicts.map((verdict) => [verdict.template, verdict]));
	const all = [...templates]
		.flatMap((template) => weigh(template, verdictOf.get(template), words) ?? [])
		.toSorted((one, other) => other.confidence - one.confidence || other.bits - one.bits)
		.slice(0, MOST_CANDIDATES);
	return all.map((candidate) => withRivals(candidate, all));
}
