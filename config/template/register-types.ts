import type { RegisterType, TemplatePoint } from './template.ts';

/** What kind of value a type gives. `bits` is a whole number that is shown bit by bit. */
type Nature = 'truth' | 'whole' | 'bits' | 'float' | 'text';

/** What there is to know of a type without a point. */
interface TypeFacts {
	readonly nature: Nature;
	/** Registers (for `bool`: bits) a value may take; `null`: as many as one read carries. */
	readonly counts: readonly number[] | null;
	/** `number`: the byte order names each byte of the value; `blocks`: it orders blocks of 2, 4 or 8 bytes. */
	readonly order: 'number' | 'blocks';
	readonly isSigned: boolean;
}

const facts = (
	nature: Nature,
	counts: readonly number[] | null,
	{ order = 'number', isSigned = false }: Partial<TypeFacts> = {},
): TypeFacts => ({ nature, counts, order, isSigned });

const signed = { isSigned: true } as const;
const blocks = { order: 'blocks' } as const;

const typeFacts: Readonly<Record<RegisterType, TypeFacts>> = {
	bool: facts('truth', [1]),
	bit: facts('truth', [1]),
	int8h: facts('whole', [1], signed),
	int8l: facts('whole', [1], signed),
	uint8h: facts('whole', [1]),
	uint8l: facts('whole', [1]),
	int16: facts('whole', [1], signed),
	uint16: facts('whole', [1]),
	int32: facts('whole', [2], signed),
	uint32: facts('whole', [2]),
	int64: facts('whole', [4], signed),
	uint64: facts('whole', [4]),
	float16: facts('float', [1], signed),
	float32: facts('float', [2], signed),
	float64: facts('float', [4], signed),
	bcd16: facts('whole', [1]),
	bcd32: facts('whole', [2]),
	bcd64: facts('whole', [4]),
	bits: facts('bits', [1, 2, 3, 4], blocks),
	string: facts('text', null, blocks),
	raw: facts('text', null, blocks),
	eui48: facts('text', [3, 4], blocks),
	ipv4: facts('text', [2], blocks),
	ipv6: facts('text', [8], blocks),
	time_unix32: facts('text', [2]),
	time_since2000: facts('text', [2]),
	time_unix64: facts('text', [4]),
	time_unix64ms: facts('text', [4]),
	time_bytes: facts('text', [3], blocks),
	time_bcd: facts('text', [3], blocks),
	time_registers: facts('text', [6], blocks),
	time_iec: facts('text', [4], blocks),
};

export const REGISTER_TYPES: readonly RegisterType[] = Object.keys(typeFacts).filter(
	(name): name is RegisterType => name in typeFacts,
);

export const factsOfType = (type: RegisterType): TypeFacts => typeFacts[type];

const BIT_TYPES: ReadonlySet<RegisterType> = new Set(['int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'bits']);

const numbers: ReadonlySet<Nature> = new Set(['whole', 'bits', 'float']);

/** Whether the values of the type are numbers, which can have limits. */
export const isNumeric = (type: RegisterType): boolean => numbers.has(typeFacts[type].nature);

/** Whether raw numbers of the type can be scaled. */
export const isScalable = (type: RegisterType): boolean => isNumeric(type) && type !== 'bits';

/** Whether the point is a whole number on the wire, of which single bits can be taken. */
export const isWhole = (type: RegisterType): boolean => isNumeric(type) && typeFacts[type].nature !== 'float';

/** Whether single bits of the type can be taken: those of an integer of whole registers. */
export const hasBits = (type: RegisterType): boolean => BIT_TYPES.has(type);

/** Bytes of a point's registers. */
export const byteCount = ({ count }: Pick<TemplatePoint, 'count'>): number => 2 * count;

const LETTERS = 'ABCDEFGH';
const BLOCKS: readonly number[] = [2, 4, 8];

/** Whether the text is a permutation of the first letters of the alphabet. */
export const isPermutation = (order: string): boolean =>
	order.length > 0 && Array.from(order).toSorted().join('') === LETTERS.slice(0, order.length);

/** Lengths that the byte order of a point may have. */
export function orderLengths({ type, count }: Pick<TemplatePoint, 'type' | 'count'>): readonly number[] {
	const bytes = byteCount({ count });
	if (type === 'bool') return BLOCKS;
	return typeFacts[type].order === 'number' ? [bytes] : BLOCKS.filter((block) => bytes % block === 0);
}
