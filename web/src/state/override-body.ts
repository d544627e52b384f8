import { type Body, type ReadField, givenNumber, givenText } from './read-field.ts';

/** Path of the list, and name of the field that counts its rows. */
export const OVERRIDES = 'connection.overrides';
/** Most points of one device that may differ from its template. */
export const MOST_OVERRIDES = 500;

export const POLL_CLASSES = ['fast', 'normal', 'slow', 'once', 'on-demand'] as const;

/** Members that are numbers. */
export const OVERRIDE_NUMBERS = ['scale', 'offset', 'min', 'max'] as const;

const MEMBERS = ['point', 'read', 'name', 'unit', ...OVERRIDE_NUMBERS, 'poll'] as const;

/** Path of one row. */
export const overrideField = (index: number): string => `${OVERRIDES}.${index}`;

/** Fields of one row, and the row itself, which is refused as a whole when its point comes twice. */
export const fieldsOfOverride = (index: number): readonly string[] => [
	overrideField(index),
	...MEMBERS.map((member) => `${overrideField(index)}.${member}`),
];

function overrideIn(field: ReadField, index: number): Body {
	const textOf = (member: string): string => field(`${overrideField(index)}.${member}`);
	return {
		point: textOf('point'),
		...(textOf('read') === '' && { read: false }),
		...Object.assign({}, ...['name', 'unit', 'poll'].map((member) => givenText(member, textOf(member)))),
		...(textOf('no_unit') !== '' && { unit: '' }),
		...Object.assign({}, ...OVERRIDE_NUMBERS.map((member) => givenNumber(member, textOf(member)))),
	};
}

/** What the form says about single points; nothing without rows. */
export function overridesIn(field: ReadField): Body {
	const rows = Number(field(OVERRIDES));
	if (rows === 0) return {};
	return { overrides: Array.from({ length: rows }, (_, index) => overrideIn(field, index)) };
}
