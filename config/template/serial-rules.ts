import type { SettingsMistake } from '../settings-fault.ts';
import { groupsOf, patternFlaw } from './serial-pattern.ts';
import type { SerialFormat, SerialPlace } from './serial-format.ts';

/** Without a mark and with a checksum alone, each byte may begin a frame: that many tries are cheap. */
const MOST_UNMARKED_BYTES = 256;

type Rule = (format: SerialFormat) => SettingsMistake | null;

const marksNothing: Rule = ({ framing, checksum, request }) => {
	const isCounted = framing.by === 'length' || framing.by === 'length-field';
	if (!isCounted || framing.start.length > 0) return null;
	if (checksum === null && request === null)
		return { path: 'framing.start', message: 'must be there: without it, a checksum or a request no frame is found' };
	if (framing.mostBytes > MOST_UNMARKED_BYTES)
		return {
			path: 'framing.max',
			message: `must be at most ${MOST_UNMARKED_BYTES} without a start; found ${framing.mostBytes}`,
		};
	return null;
};

const exceedsMost: Rule = ({ framing }) =>
	framing.by === 'length' && framing.length > framing.mostBytes
		? { path: 'framing.length', message: `must be at most framing.max, ${framing.mostBytes}; found ${framing.length}` }
		: null;

const flawedPattern: Rule = ({ layout, framing }) => {
	if (layout.kind !== 'regex') return null;
	const message = patternFlaw(layout.pattern, framing.mostBytes);
	return message === null ? null : { path: 'layout.pattern', message };
};

const emptySpan: Rule = ({ checksum }) => {
	if (checksum === null) return null;
	const { from, to } = checksum.covers;
	const isEmpty = from >= 0 === to > 0 && to !== 0 && from >= to;
	return isEmpty ? { path: 'checksum.covers', message: `must cover something; found ${from} to ${to}` } : null;
};

const rules: readonly Rule[] = [marksNothing, exceedsMost, flawedPattern, emptySpan];

/** What a place refers to in the layout and does not find there. */
function placeFlaw({ layout }: SerialFormat, place: SerialPlace): readonly [member: string, sentence: string] | null {
	if (layout.kind === 'regex' && place.kind === 'field' && !groupsOf(layout.pattern).has(place.field))
		return ['field', `must be a group of layout.pattern; found ${place.field}`];
	if (layout.kind !== 'csv' || place.kind !== 'column') return null;
	const names = layout.records.length === 0 ? [''] : layout.records.map(({ name }) => name);
	return names.includes(place.record)
		? null
		: ['record', `must be one of layout.records; found ${JSON.stringify(place.record)}`];
}

/** Everything that is wrong with a format whose members each kept the form. */
export const formatMistakes = (format: SerialFormat): readonly SettingsMistake[] => [
	...rules.flatMap((rule) => rule(format) ?? []),
	...[...format.places.values()].flatMap((place, index) => {
		const flaw = placeFlaw(format, place);
		return flaw === null ? [] : [{ path: `points[${index}].${flaw[0]}`, message: flaw[1] }];
	}),
];
