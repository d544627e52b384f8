import { keepsProbe, probeBits, probeVerdict } from '../../config/template/probe.ts';
import type { Probe, ReadFunction, TemplateDocument, TemplatePoint } from '../../config/template/template.ts';
import { createReadDecoder } from '../driver/modbus/codec/register-decoder.ts';

/** What a device answered to a probe, decoded. */
type ProbedValue = number | bigint | string | boolean | null | undefined;

/** One read that probes of some templates want. */
export interface ProbeRead {
	readonly functionCode: ReadFunction;
	readonly address: number;
	readonly count: number;
}

/** What a template has in common with a device, as far as it was asked. */
export interface TemplateVerdict {
	readonly template: TemplateDocument;
	readonly isKept: boolean;
	readonly bits: number;
	/** Probes that were kept, with what the device answered. */
	readonly kept: readonly { readonly name: string; readonly value: ProbedValue; readonly unit: string }[];
}

/**
 * Asks a unit the probes of all templates with as few reads as can be: what most of the templates in question want comes first, and a
 * template whose probe failed is out of question. Each point is read by itself: some devices identify themselves to nothing else.
 */
export interface ProbeRound {
	/** `null`: done, or the reads are used up. */
	next(): ProbeRead | null;
	/** `null`: refused, silent or damaged. */
	settle(read: ProbeRead, data: Buffer | null): void;
	/** Templates of which every probe was kept. */
	verdicts(): readonly TemplateVerdict[];
}

interface Wish {
	readonly template: TemplateDocument;
	readonly probe: Probe;
	readonly point: TemplatePoint;
}

const keyOf = ({ functionCode, address, count }: ProbeRead): string => `${functionCode}:${address}:${count}`;

/** A probe of a point that is scaled by another register cannot be judged by itself. */
const wishesOf = (template: TemplateDocument): readonly Wish[] =>
	template.probe.flatMap((probe) => {
		const point = template.points.find(({ key }) => key === probe.key);
		return point === undefined || point.scaleFactor !== undefined ? [] : [{ template, probe, point }];
	});

function valueIn(point: TemplatePoint, data: Buffer | null): ProbedValue {
	if (data === null) return undefined;
	const { functionCode, address, count } = point;
	const value = createReadDecoder({ functionCode, address, count, points: [point], keys: [point.key] })(data).values[0];
	return typeof value === 'object' ? null : value;
}

export interface ProbeRoundOptions {
	/** Reads for one unit, at most. */
	readonly mostReads: number;
	/** Templates that are likelier than others for another reason, e.g. a name: their probes come first. */
	readonly isFavoured?: (template: TemplateDocument) => boolean;
}

/** What a read is worth beside each template that it decides, 1 each. */
const WORTH = { favoured: 1000, perKeptBit: 0.5, perBit: 0.001 } as const;

export function createProbeRound(
	templates: readonly TemplateDocument[],
	{ mostReads, isFavoured = () => false }: ProbeRoundOptions,
): ProbeRound {
	const byRead = new Map<string, { readonly read: ProbeRead; readonly wishes: Wish[] }>();
	const answers = new Map<string, Buffer | null>();
	const out = new Set<TemplateDocument>();
	/** Evidence for templates of which a probe was kept, bits. */
	const keptBits = new Map<TemplateDocument, number>();
	const favoured = new Set(templates.filter((template) => isFavoured(template)));
	const inQuestion = templates.filter((template) => {
		const wishes = wishesOf(template);
		for (const wish of wishes) {
			const { functionCode, address, count } = wish.point;
			const read = { functionCode, address, count };
			const known = byRead.get(keyOf(read)) ?? { read, wishes: [] };
			known.wishes.push(wish);
			byRead.set(keyOf(read), known);
		}
		return wishes.length > 0 && wishes.length === template.probe.length;
	});

	/** How much a read decides: each template in question that wants it, more for one that much speaks for already. */
	function worth(wishes: readonly Wish[]): number {
		let total = 0;
		for (const { template, point, probe } of wishes) {
			if (out.has(template)) continue;
			total += 1 + WORTH.perBit * probeBits(point, probe) + WORTH.perKeptBit * (keptBits.get(template) ?? 0);
			if (favoured.has(template)) total += WORTH.favoured;
		}
		return total;
	}

	const answerTo = ({ functionCode, address, count }: TemplatePoint): Buffer | null =>
		answers.get(keyOf({ functionCode, address, count })) ?? null;

	const valueOf = (point: TemplatePoint): ProbedValue => valueIn(point, answerTo(point));

	return {
		next() {
			if (answers.size >= mostReads) return null;
			let best: { readonly read: ProbeRead; readonly worth: number } | null = null;
			for (const [key, { read, wishes }] of byRead) {
				if (answers.has(key)) continue;
				const value = worth(wishes);
				if (value > 0 && (best === null || value > best.worth)) best = { read, worth: value };
			}
			return best?.read ?? null;
		},
		settle(read, data) {
			const key = keyOf(read);
			answers.set(key, data);
			for (const { template, probe, point } of byRead.get(key)?.wishes ?? []) {
				if (keepsProbe(probe, valueIn(point, data)))
					keptBits.set(template, (keptBits.get(template) ?? 0) + probeBits(point, probe));
				else out.add(template);
			}
		},
		verdicts: () =>
			inQuestion
				.filter((template) => !out.has(template))
				.map((template) => {
					const { isKept, bits } = probeVerdict(template, valueOf);
					const kept = wishesOf(template).map(({ point }) => ({
						name: point.name,
						value: valueOf(point),
						unit: point.unit,
					}));
					return { template, isKept, bits, kept };
				})
				.filter(({ isKept }) => isKept),
	};
}
