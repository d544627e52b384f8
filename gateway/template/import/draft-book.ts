import { MAX_POINTS } from '../../../config/template/template-form.ts';
import {
	type DraftPoint,
	type ImportNote,
	type Imported,
	type ImportOptions,
	MAX_NOTES,
	NOWHERE,
	type Place,
	placesOfPoints,
	shownValue,
} from './imported.ts';

const MAX_KEY = 120;
const MAX_NAME = 200;
const MAX_WORD = 32;

/** A name as a machine writes it: `Voltage L1` is `voltage_l1`. */
export function keyOf(name: string): string {
	const word = name
		.normalize('NFKD')
		.toLowerCase()
		.replaceAll(/[^a-z0-9]+/g, '_')
		.replaceAll(/^_+|_+$/g, '')
		.slice(0, MAX_KEY);
	if (word === '') return 'point';
	return /^[a-z]/.test(word) ? word : `p_${word}`;
}

const groupKeyOf = (name: string): string => keyOf(name).slice(0, MAX_WORD);

/** A name that fits into a template. */
export const nameOf = (text: string): string => text.trim().slice(0, MAX_NAME);

/** Collects what an importer finds in a file. */
export function createDraftBook() {
	const points: DraftPoint[] = [];
	const places: Place[] = [];
	const notes: ImportNote[] = [];
	const keys = new Set<string>();
	/** Of keys that many points want. */
	const lastNumbers = new Map<string, number>();
	const groups = new Map<string, string>();
	let isFull = false;

	function note(
		severity: ImportNote['severity'],
		place: Place,
		field: string | null,
		rule: string,
		value?: unknown,
	): void {
		if (notes.length < MAX_NOTES)
			notes.push({
				severity,
				place,
				field,
				rule,
				value: value === undefined || value === null ? null : shownValue(value),
			});
	}

	const warn = (place: Place, field: string | null, rule: string, value?: unknown): void =>
		note('warning', place, field, rule, value);

	/** The key itself, or with a number when another point has it. */
	function freeKey(wanted: string, place: Place): string {
		if (!keys.has(wanted)) return wanted;
		let number = lastNumbers.get(wanted) ?? 2;
		while (keys.has(`${wanted}_${number}`)) number += 1;
		lastNumbers.set(wanted, number);
		warn(place, 'key', `another point has this key already: it became ${wanted}_${number}`, wanted);
		return `${wanted}_${number}`;
	}

	return {
		warn,
		mistake: (place: Place, field: string | null, rule: string, value?: unknown): void =>
			note('mistake', place, field, rule, value),
		/** No more points are taken; the first that was too many is noted. */
		isFull: (): boolean => isFull,
		/** Takes a point. Its key gets a number when another point has it, unless `isKeyKept`: the rules of templates then judge it. */
		add(point: DraftPoint, place: Place, isKeyKept = false): void {
			if (points.length >= MAX_POINTS) {
				if (!isFull) note('mistake', place, null, `a template has at most ${MAX_POINTS} points`);
				isFull = true;
				return;
			}
			const key = isKeyKept ? point.key : freeKey(point.key, place);
			keys.add(key);
			points.push({ ...point, key });
			places.push(place);
		},
		/** Key of the group of this name, which the template will have. */
		group(name: string): string {
			const key = groupKeyOf(name);
			if (!groups.has(key)) groups.set(key, nameOf(name));
			return key;
		},
		/** The template: what the file says of itself, in front of it what the options say. */
		close(header: object, { manufacturer, model, category }: ImportOptions): Imported {
			if (points.length === 0) note('mistake', NOWHERE, 'points', 'a template has at least one point; none was found');
			const own = Array.from(groups, ([key, name]) => ({ key, name }));
			return {
				document: {
					manufacturer: 'unknown',
					model: 'imported',
					category: 'other',
					transports: ['tcp', 'rtu'],
					...(own.length === 0 ? {} : { groups: own }),
					...header,
					...(manufacturer === undefined ? {} : { manufacturer }),
					...(model === undefined ? {} : { model }),
					...(category === undefined ? {} : { category }),
					points,
				},
				placeOf: placesOfPoints(places),
				notes,
			};
		},
	};
}

export type DraftBook = ReturnType<typeof createDraftBook>;
