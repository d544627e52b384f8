import type { CsvRecord, SerialLayout, SerialPlace } from '../../../config/template/serial-format.ts';

/** A payload taken apart. */
export interface ReadPayload {
	/** Which record it is; '': the only one. */
	readonly record: string;
	/** The device says itself that these are no values. */
	readonly isVoid: boolean;
	/** The text at a place, and whether it stands for a negative number; `null` when there is none. */
	text(place: SerialPlace): { readonly text: string; readonly isNegative: boolean } | null;
}

/** Takes a payload apart; `null` when it is of no sort that the layout knows. */
export type PayloadReader = (payload: Buffer) => ReadPayload | null;

const only = (fieldOf: (place: SerialPlace) => string | undefined): ReadPayload => ({
	record: '',
	isVoid: false,
	text(place) {
		const text = fieldOf(place);
		return text === undefined ? null : { text, isNegative: false };
	},
});

const textOf = (payload: Buffer): string => payload.toString('latin1');

function regexReader(pattern: string): PayloadReader {
	const whole = new RegExp(`^(?:${pattern})$`, 's');
	return (payload) => {
		const groups = whole.exec(textOf(payload))?.groups;
		return groups === undefined ? null : only((place) => (place.kind === 'field' ? groups[place.field] : undefined));
	};
}

const fits = ({ first }: CsvRecord, text: string): boolean =>
	'is' in first ? text === first.is : text.endsWith(first.endsWith);

const ONLY_RECORD: CsvRecord = { name: '', first: { endsWith: '' }, valid: null };

function csvReader(separator: string, records: readonly CsvRecord[]): PayloadReader {
	const known = records.length === 0 ? [ONLY_RECORD] : records;
	return (payload) => {
		const columns = textOf(payload).split(separator);
		const first = columns[0]?.trim() ?? '';
		const record = known.find((each) => fits(each, first));
		if (record === undefined) return null;
		const { name, valid } = record;
		return {
			record: name,
			isVoid: valid !== null && !valid.is.includes(columns[valid.column]?.trim() ?? ''),
			text(place) {
				if (place.kind !== 'column') return null;
				const text = columns[place.column];
				if (text === undefined) return null;
				const sign = place.sign === null ? '' : (columns[place.sign.column]?.trim() ?? '');
				return { text, isNegative: place.sign?.negative.includes(sign) === true };
			},
		};
	};
}

function pairReader(separator: string, assign: string): PayloadReader {
	return (payload) => {
		const fields = new Map<string, string>();
		for (const pair of textOf(payload).split(separator)) {
			const at = pair.indexOf(assign);
			if (at > 0) fields.set(pair.slice(0, at).trim(), pair.slice(at + assign.length));
		}
		return fields.size === 0 ? null : only((place) => (place.kind === 'field' ? fields.get(place.field) : undefined));
	};
}

const OBIS_CODE = /^\d{1,3}-\d{1,3}:[0-9A-F.]{1,20}$/;
/** The type of the meter behind a channel stands here (DSMR P1 5.0.2, 6.12). */
const METER_TYPE = '24.1.0';
const CHANNELS = [1, 2, 3, 4];

/** What stands in the parentheses, without units: `(101209112500W)(12785.123*m3)`. */
function valuesOf(text: string): readonly string[] {
	return text
		.split(')')
		.slice(0, -1)
		.map((piece) => piece.slice(piece.indexOf('(') + 1).split('*', 1)[0] ?? '');
}

function obisReader(): PayloadReader {
	return (payload) => {
		const lines = new Map<string, readonly string[]>();
		for (const line of textOf(payload).split('\n')) {
			const at = line.indexOf('(');
			const code = line.slice(0, Math.max(at, 0));
			if (OBIS_CODE.test(code)) lines.set(code, valuesOf(line.slice(at)));
		}
		if (lines.size === 0) return null;
		const channelOf = (mbus: number): number | undefined =>
			CHANNELS.find((channel) => Number(lines.get(`0-${channel}:${METER_TYPE}`)?.[0] ?? Number.NaN) === mbus);
		return only((place) => {
			if (place.kind !== 'obis') return undefined;
			const code = place.mbus === null ? place.code : `0-${channelOf(place.mbus)}:${place.code}`;
			return lines.get(code)?.[place.value];
		});
	};
}

/** @throws SyntaxError for a pattern that is none; a template that was parsed has no such */
export function createPayloadReader(layout: SerialLayout): PayloadReader {
	if (layout.kind === 'regex') return regexReader(layout.pattern);
	if (layout.kind === 'csv') return csvReader(layout.separator, layout.records);
	if (layout.kind === 'key-value') return pairReader(layout.separator, layout.assign);
	if (layout.kind === 'obis') return obisReader();
	return () => only(() => undefined);
}
