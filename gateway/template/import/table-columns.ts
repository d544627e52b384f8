/** Members of a point that a table can have a column for, in the order in which they are exported. */
export const COLUMNS = [
	'key',
	'name',
	'function',
	'address',
	'count',
	'type',
	'byte_order',
	'scale',
	'offset',
	'unit',
	'kind',
	'access',
	'invalid',
	'enum',
	'min',
	'max',
	'bit',
	'slice',
	'mask',
	'scale_factor',
	'precision',
	'zone',
	'max_step',
	'turns_at',
	'resets',
	'poll',
	'group',
	'when',
	'label_ko',
	'label_tr',
	'enum_labels',
	'write',
] as const;

export type Column = (typeof COLUMNS)[number];

/** What only tables of others have. */
export type ForeignColumn = 'divisor' | 'sf' | 'attribute' | 'decimal' | 'bias';

/** Names that others give to columns, in small letters without anything but letters and digits. */
const VARIANTS: Readonly<Partial<Record<Column | ForeignColumn, readonly string[]>>> = {
	key: ['id', 'tag', 'tagname', 'variable', 'variablename', 'identifier', 'mnemonic'],
	name: [
		'label',
		'parameter',
		'title',
		'signal',
		'measurement',
		'description',
		'desc',
		'text',
		'bezeichnung',
		'beschreibung',
	],
	function: [
		'functioncode',
		'fc',
		'registertype',
		'regtype',
		'table',
		'area',
		'objecttype',
		'registertable',
		'inputtype',
		'funktion',
		'modbusfunction',
		'readfunction',
	],
	address: [
		'register',
		'registeraddress',
		'reg',
		'addr',
		'startaddress',
		'modbusaddress',
		'registernumber',
		'regaddr',
		'adresse',
		'registerno',
		'startregister',
		'modbusregister',
		'addressdec',
		'decaddress',
	],
	count: [
		'length',
		'quantity',
		'size',
		'registers',
		'words',
		'len',
		'numberofregisters',
		'registercount',
		'numregs',
		'nofregisters',
		'wordcount',
		'objectscount',
		'regcount',
		'anzahl',
	],
	type: ['datatype', 'format', 'dtype', 'valuetype', 'dataformat', 'typ', 'datentyp'],
	byte_order: ['byteorder', 'order', 'endian', 'endianness', 'wordorder', 'swap'],
	scale: [
		'multiplier',
		'factor',
		'gain',
		'scalefactor',
		'coefficient',
		'coeff',
		'resolution',
		'scaling',
		'faktor',
		'skalierung',
		'multiply',
	],
	divisor: ['divider', 'div', 'scaledivisor'],
	unit: ['units', 'uom', 'unitofmeasurement', 'einheit', 'engineeringunit'],
	access: ['rw', 'readwrite', 'permission', 'mode', 'accesstype', 'direction', 'zugriff'],
	enum: ['values', 'states', 'enumeration', 'options', 'valuemap'],
	min: ['minimum', 'low', 'minvalue', 'lowlimit'],
	max: ['maximum', 'high', 'maxvalue', 'highlimit'],
	bit: ['bitposition', 'bitnumber', 'bitno', 'bitindex'],
	precision: ['decimals', 'decimalplaces', 'digits'],
	kind: ['class', 'stateclass'],
	group: ['groupname', 'section', 'category', 'gruppe'],
	offset: ['valueoffset'],
};

const plainName = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');

const isOwn = (name: string): name is Column => COLUMNS.some((column) => column === name);

const FOREIGN: readonly ForeignColumn[] = ['divisor', 'sf', 'attribute', 'decimal', 'bias'];

const byVariant: ReadonlyMap<string, Column | ForeignColumn> = new Map([
	...[...COLUMNS, ...FOREIGN].flatMap((column) =>
		[column, ...(VARIANTS[column] ?? [])].map((name) => [plainName(name), column] as const),
	),
	// Of another meaning than the own column of nearly this name, which holds the key of a point.
	['scalefactor', 'scale'] as const,
]);

/** Which column stands where in a row. */
export type ColumnPlaces = ReadonlyMap<Column | ForeignColumn, number>;

/** What the first row of a table says of its columns. */
export interface Heading {
	readonly places: ColumnPlaces;
	/** Titles that say nothing here, with their index. */
	readonly unknown: readonly (readonly [index: number, title: string])[];
}

/** Reads titles of columns: own names first, then what others call them. Of two for one member the first counts. */
export function headingOf(cells: readonly string[]): Heading {
	const places = new Map<Column | ForeignColumn, number>();
	const unknown: (readonly [number, string])[] = [];
	for (const [index, cell] of cells.entries()) {
		const title = cell.trim();
		if (isOwn(title) && !places.has(title)) places.set(title, index);
	}
	for (const [index, cell] of cells.entries()) {
		const title = cell.trim();
		if (title === '' || isOwn(title)) continue;
		const column = byVariant.get(plainName(title.split(/[([]/, 1)[0] ?? ''));
		if (column === undefined || places.has(column)) unknown.push([index, title]);
		else places.set(column, index);
	}
	return { places, unknown };
}

/** Whether a row can be the titles of a table of points. */
export const isHeading = ({ places }: Heading): boolean =>
	places.has('address') && (places.has('name') || places.has('key') || places.has('type'));
