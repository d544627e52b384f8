import { createHash } from 'node:crypto';

import { MAX_POINTS, type WireHeader } from '../../config/template/template-form.ts';
import { identityOf, type SunspecIdentity } from './sunspec-discovery.ts';
import { sunspecFields } from './sunspec-fields.ts';
import type { SunspecChain, SunspecModel, SunspecPlace } from './sunspec-model.ts';
import { sunspecPoint, type SunspecWirePoint } from './sunspec-point.ts';

/** A template as it is stored: what `parseTemplate` reads. */
export interface SunspecTemplate {
	/** `sunspec-<maker>-<model>-<hash of the models>`: the same for all devices with the same models at the same places. */
	readonly key: string;
	readonly document: Partial<Omit<WireHeader, 'points'>> & { readonly points: readonly SunspecWirePoint[] };
	/** Models of which nothing is known, and points that were left out. */
	readonly leftOut: readonly string[];
}

const MARKER_KEY = 'sunspec_marker';
const MARKER_REGISTERS = 2;
const MAX_WORD = 20;
const HASH_LETTERS = 8;
const MAX_TEXT = 200;
const MAX_QUIRK = 1000;

/** What a device is by its models; the first that fits. */
const categories: readonly (readonly [models: readonly number[], category: string])[] = [
	[[101, 102, 103, 111, 112, 113, 701], 'inverter'],
	[[201, 202, 203, 204, 211, 212, 213, 214], 'energy meter'],
	[[802, 803, 804], 'battery'],
	[[401, 402, 403, 404], 'string combiner'],
	[[302, 307], 'weather station'],
	[[601], 'tracker'],
	[[501, 502], 'PV module'],
];

const slug = (text: string): string =>
	text
		.toLowerCase()
		.replaceAll(/[^a-z0-9]+/g, '-')
		.replaceAll(/^-|-$/g, '')
		.slice(0, MAX_WORD)
		.replace(/-$/, '');

/** By what the points depend on: where the models are, and how often their groups repeat. */
function keyOf(
	{ manufacturer, model }: SunspecIdentity,
	chain: SunspecChain,
	points: readonly SunspecWirePoint[],
): string {
	const places = chain.places.map(({ id, address, length }) => `${id}:${address}:${length}`);
	const hash = createHash('sha256')
		.update(`${places.join(',')}/${points.length}`)
		.digest('hex');
	return ['sunspec', slug(manufacturer), slug(model), hash.slice(0, HASH_LETTERS)]
		.filter((part) => part !== '')
		.join('-');
}

/** A place and the word for it: `m103`, and `m103_2` for the second model of that number. */
interface NamedPlace {
	readonly place: SunspecPlace;
	readonly modelKey: string;
}

function named(places: readonly SunspecPlace[]): readonly NamedPlace[] {
	const seen = new Map<number, number>();
	return places.map((place) => {
		const number = (seen.get(place.id) ?? 0) + 1;
		seen.set(place.id, number);
		return { place, modelKey: `m${place.id}${number === 1 ? '' : `_${number}`}` };
	});
}

const markerPoint = (base: number): SunspecWirePoint => ({
	key: MARKER_KEY,
	name: 'SunSpec marker',
	function: 3,
	address: base,
	count: MARKER_REGISTERS,
	type: 'string',
	byte_order: 'AB',
	kind: 'state',
	poll: 'on-demand',
});

function probesOf({ manufacturer, model }: SunspecIdentity, points: readonly SunspecWirePoint[]): WireHeader['probe'] {
	const known = new Set(points.map(({ key }) => key));
	return [
		{ key: MARKER_KEY, is: ['SunS'] },
		...[
			{ key: 'm1_mn', is: [manufacturer] },
			{ key: 'm1_md', is: [model] },
		].filter(({ key, is: [text] }) => known.has(key) && text !== ''),
	];
}

function categoryOf(models: readonly number[]): string {
	return categories.find(([some]) => some.some((id) => models.includes(id)))?.[1] ?? 'SunSpec device';
}

/** Says in sentences what the template lacks. */
function leftOutOf(
	chain: SunspecChain,
	models: ReadonlyMap<number, SunspecModel>,
	cutPoints: number,
): readonly string[] {
	const unknown = chain.places.filter(({ id }) => !models.has(id));
	return [
		...(unknown.length === 0
			? []
			: [
					`Models without a definition here: ${unknown.map(({ id, address, length }) => `${id} (${length} registers from ${address + 2})`).join(', ')}.`,
				]),
		...(chain.cut === null ? [] : [`The list of models breaks off: ${chain.cut}.`]),
		...(cutPoints === 0 ? [] : [`${cutPoints} points more than a template holds.`]),
	].map((sentence) => sentence.slice(0, MAX_QUIRK));
}

/**
 * The template of a SunSpec device, made from what the device says and the definitions of its models. Pure. A point's key depends on
 * its model and name alone, so it stays the same when the device gets another model before it.
 * @param models definitions by their number; what is not in it is left out
 */
export function sunspecTemplate(chain: SunspecChain, models: ReadonlyMap<number, SunspecModel>): SunspecTemplate {
	const identity = identityOf(chain);
	const known = named(chain.places).flatMap(({ place, modelKey }) => {
		const model = models.get(place.id);
		return model === undefined ? [] : [{ place, modelKey, model }];
	});
	const all = [
		markerPoint(chain.base),
		...known.flatMap(({ place, modelKey, model }) =>
			sunspecFields(model, place).flatMap((field) => sunspecPoint(field, modelKey, identity.manufacturer) ?? []),
		),
	];
	const points = all.slice(0, MAX_POINTS);
	const leftOut = leftOutOf(chain, models, all.length - points.length);
	const category = categoryOf(identity.models);
	return {
		key: keyOf(identity, chain, points),
		leftOut,
		document: {
			manufacturer: identity.manufacturer === '' ? 'SunSpec' : identity.manufacturer,
			model:
				identity.model === ''
					? `device with the models ${identity.models.join(', ')}`.slice(0, MAX_TEXT)
					: identity.model,
			category,
			transports: ['tcp', 'rtu'],
			max_registers: chain.maxRegisters,
			groups: known.map(({ modelKey, model }) => ({ key: modelKey, name: model.group.label ?? model.group.name })),
			probe: probesOf(identity, points),
			sign: category === 'inverter' ? 'export' : null,
			quirks: leftOut,
			verification: 'one source',
			sources: [
				{
					work: 'SunSpec Alliance, sunspec/models',
					licence: 'Apache-2.0',
					use: 'definitions of the models, unchanged',
				},
			],
			points,
		},
	};
}
