import { addressOf, type NotedAddress } from '../../../config/template/address-notation.ts';
import type { RegisterType } from '../../../config/template/template.ts';
import type { DraftBook } from './draft-book.ts';
import { keyOf, nameOf } from './draft-book.ts';
import type { DraftPoint, Place } from './imported.ts';
import { numberIn } from './table-values.ts';
import { swappedOrder, typeNamed, usualCount } from './type-names.ts';

/** A tag of EMQX Neuron, each member as text. */
export interface NeuronTag {
	readonly name: string;
	/** `SLAVE!ADDRESS[.BIT][#ENDIAN][.LEN[H|L]]` */
	readonly address: string;
	/** Names, or the sum of 1 read, 2 write, 4 subscribe. */
	readonly attribute: string;
	/** Name or number of the type. */
	readonly type: string;
	/** Multiplier; 0 or empty: none. */
	readonly decimal: string;
	readonly precision: string;
	readonly bias: string;
	readonly description: string;
	readonly group: string;
}

type TagField = 'address' | 'type' | 'attribute' | 'decimal' | 'bias' | 'precision';

/** Numbers of the types in Neuron's REST API. */
const TYPES: Readonly<Record<number, string>> = {
	1: 'int8',
	2: 'uint8',
	3: 'int16',
	4: 'uint16',
	5: 'int32',
	6: 'uint32',
	7: 'int64',
	8: 'uint64',
	9: 'float32',
	10: 'float64',
	11: 'bit',
	12: 'bool',
	13: 'string',
	14: 'raw',
};

const ADDRESS = /^(\d{1,3})!(\d{5,6})(?:\.(\d{1,3})([HLDE])?)?(?:#(BB|BL|LB|LL|B|L))?(?:\.(\d{1,3})([HLDE])?)?$/i;

type Swaps = readonly [bytes: boolean, words: boolean];

/** What is swapped in numbers of several registers, by the letters behind `#`; none of them: nothing. */
const ENDIANS: ReadonlyMap<string, Swaps> = new Map([
	['LB', [true, false]],
	['BB', [true, true]],
	['BL', [false, true]],
]);

/** What is swapped in so many bytes. A single `B` is for 2 and for 8 bytes, which it turns round. */
function swapsOf(bytes: number, letters: string): Swaps {
	const endian = letters.toUpperCase();
	if (bytes === 2 || (bytes === 8 && endian === 'B')) return endian.startsWith('B') ? [true, true] : [false, false];
	return ENDIANS.get(endian) ?? [false, false];
}

const factorOf = (text: string): number => numberIn(text)?.value ?? 0;

function accessOf(attribute: string): 'r' | 'w' | 'rw' {
	const sum = /^\d+$/.test(attribute.trim()) ? Number(attribute) : null;
	const isRead = sum === null ? !/write/i.test(attribute) || /read|subscribe/i.test(attribute) : (sum & 5) !== 0;
	const isWritten = sum === null ? /write/i.test(attribute) : (sum & 2) !== 0;
	if (!isWritten) return 'r';
	return isRead ? 'rw' : 'w';
}

/** What the parts of an address after its number say for a type. */
interface AddressParts {
	readonly number: string | null;
	readonly endian: string;
	readonly letter: string;
}

interface Form {
	readonly type: RegisterType;
	readonly count: number;
	readonly byte_order: string;
	readonly bit?: number;
}

function formOf(type: RegisterType, isBits: boolean, { number, endian, letter }: AddressParts): Form | string {
	if (isBits) return { type: 'bool', count: 1, byte_order: 'AB' };
	if (type === 'bool' || type === 'bit')
		return number === null
			? 'a bit of a register is named behind a dot, as in 1!400010.4'
			: { type: 'bit', bit: Number(number), count: 1, byte_order: 'AB' };
	if (type === 'string' || type === 'raw') {
		if (number === null) return 'a text needs its length in bytes, as in 1!400001.10H';
		if (/[DE]/i.test(letter)) return 'texts with one character in each register are not read';
		return {
			type,
			count: Math.ceil(Number(number) / 2),
			byte_order: /h/i.test(letter) || type === 'raw' ? 'AB' : 'BA',
		};
	}
	const bytes = 2 * usualCount(type);
	return { type, count: usualCount(type), byte_order: swappedOrder(bytes, ...swapsOf(bytes, endian)) };
}

/** Where a tag is, and what its address says beside that; `null`: it is of another unit, or none, and is noted. */
function spotOf(
	{ address }: NeuronTag,
	place: Place,
	unitId: number,
	book: DraftBook,
): (NotedAddress & AddressParts) | null {
	const [, unit, number = '', early, earlyLetter, endian = '', late, lateLetter] = ADDRESS.exec(address.trim()) ?? [];
	const at = addressOf(number);
	if (unit === undefined || at === null) {
		book.mistake(place, 'address', 'must be as 1!400001, with .bit, #endian or .length behind it', address);
		return null;
	}
	if (Number(unit) === unitId)
		return { ...at, number: early ?? late ?? null, endian, letter: earlyLetter ?? lateLetter ?? '' };
	const rule = `is of another unit than ${unitId}, and was left out: a template is for one device`;
	book.warn(place, 'address', rule, address);
	return null;
}

/** Values that are no numbers to be scaled. */
const UNSCALED: ReadonlySet<RegisterType> = new Set(['bool', 'bit', 'string', 'raw']);

function scaling({ decimal, bias, precision }: NeuronTag, { type }: Form): Partial<DraftPoint> {
	if (UNSCALED.has(type)) return {};
	const [scale, offset, digits] = [factorOf(decimal), factorOf(bias), Math.trunc(factorOf(precision))];
	return {
		...(scale === 0 || scale === 1 ? {} : { scale }),
		...(offset === 0 ? {} : { offset }),
		...(digits > 0 ? { precision: Math.min(12, digits) } : {}),
	};
}

/** The point of a tag; `null`: it is of another unit, or something is wrong with it, and is noted. @param unitId the unit that is imported */
export function neuronPoint(
	tag: NeuronTag,
	placeOf: (field: TagField) => Place,
	unitId: number,
	book: DraftBook,
): DraftPoint | null {
	const spot = spotOf(tag, placeOf('address'), unitId, book);
	if (spot === null) return null;
	const { functionCode, address } = spot;
	const type = typeNamed(TYPES[Number(tag.type)] ?? tag.type, null);
	if (type === null) {
		book.mistake(placeOf('type'), 'type', 'must be a type of Neuron, e.g. INT16, FLOAT, STRING', tag.type);
		return null;
	}
	const form = formOf(type, functionCode <= 2, spot);
	if (typeof form === 'string') {
		book.mistake(placeOf('address'), 'address', form, tag.address);
		return null;
	}
	return {
		key: keyOf(tag.name),
		name: nameOf(tag.description === '' ? tag.name : tag.description),
		function: functionCode,
		address,
		...form,
		...scaling(tag, form),
		access: functionCode === 1 || functionCode === 3 ? accessOf(tag.attribute) : 'r',
		...(tag.group === '' ? {} : { group: book.group(tag.group) }),
	};
}
