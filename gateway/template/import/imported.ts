import type { WirePoint } from '../../../config/template/point-form.ts';

/** Where something stands in a file that is imported. Lines and columns count from 1. */
export interface Place {
	readonly line: number | null;
	readonly column: number | null;
	/** Of a workbook. */
	readonly sheet: string | null;
	/** e.g. `C7`. */
	readonly cell: string | null;
}

export const NOWHERE: Place = { line: null, column: null, sheet: null, cell: null };

export const atLine = (line: number, column: number | null = null): Place => ({ ...NOWHERE, line, column });

/** What was found in a file: a mistake keeps the template from being stored, a warning asks for a look. */
export interface ImportNote {
	readonly severity: 'mistake' | 'warning';
	readonly place: Place;
	/** Member, column or key that it is about; `null`: the file as a whole. */
	readonly field: string | null;
	/** What is demanded, or what was done. */
	readonly rule: string;
	/** What was found, as text. */
	readonly value: string | null;
}

/** A point as a template file has it, without what is as usual. */
export type DraftPoint = Pick<WirePoint, 'key' | 'name' | 'function' | 'address' | 'count' | 'type' | 'byte_order'> &
	Partial<WirePoint>;

/** What the file does not say, and how it is to be read. */
export interface ImportOptions {
	readonly manufacturer?: string;
	readonly model?: string;
	readonly category?: string;
	/** How plain numbers of addresses count: by the file itself, from 0, from 1, or as 40001 and the like. */
	readonly addressing: 'auto' | 'zero' | 'one' | 'reference';
	/** Table of addresses that name none. */
	readonly functionCode: 1 | 2 | 3 | 4;
	/** Only points of this unit; absent: of the first one in the file. */
	readonly unitId?: number;
	/** Where the first model of SunSpec definitions begins, its header included. */
	readonly sunspecAddress: number;
}

/** A file as a template: not checked by the rules of templates yet. */
export interface Imported {
	readonly document: {
		/** Nothing about them is certain yet. */
		readonly points: readonly unknown[];
		readonly [member: string]: unknown;
	};
	/** Where a part of the document stands, by its path (`points[3].count`), or what it is the nearest part of. */
	readonly placeOf: (path: string) => Place;
	readonly notes: readonly ImportNote[];
}

const POINT = /^points\[(\d+)\]/;

/** Places of a file of which nothing is known but where each point stands, in the order of the points. */
export const placesOfPoints =
	(places: readonly Place[]): Imported['placeOf'] =>
	(path) =>
		places[Number(POINT.exec(path)?.[1] ?? -1)] ?? NOWHERE;

/** Most notes that are kept of one file. */
export const MAX_NOTES = 500;

const MAX_SHOWN_CHARS = 60;

/** What was found, short enough for a line. */
export const shownValue = (value: unknown): string => {
	const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
	return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}...` : text;
};

/** A file that cannot be read at all. */
export class ImportFault extends Error {
	override readonly name = 'ImportFault';
	readonly note: ImportNote;

	constructor(place: Place, rule: string, value: string | null = null) {
		super(rule);
		this.note = { severity: 'mistake', place, field: null, rule, value };
	}
}
