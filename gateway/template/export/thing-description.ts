import type { ModbusConnection } from '../../../config/connection/connection.ts';
import { factsOfType, isNumeric } from '../../../config/template/register-types.ts';
import type {
	DeviceTemplate,
	ReadFunction,
	RegisterType,
	TemplateDocument,
	TemplatePoint,
} from '../../../config/template/template.ts';
import { swappedOrder } from '../import/type-names.ts';

/** Vocabularies: Thing Description 1.1, the Modbus binding, and what neither of the two has. */
const CONTEXT = [
	'https://www.w3.org/2022/wot/td/v1.1',
	{ modv: 'https://www.w3.org/2019/wot/modbus#', drawbridge: 'urn:drawbridge:template#' },
] as const;

const ENTITIES: Readonly<Record<ReadFunction, string>> = {
	1: 'Coil',
	2: 'DiscreteInput',
	3: 'HoldingRegister',
	4: 'InputRegister',
};

const WRITE_FUNCTIONS: Readonly<Record<number, string>> = {
	5: 'writeSingleCoil',
	6: 'writeSingleHoldingRegister',
	15: 'writeMultipleCoils',
	16: 'writeMultipleHoldingRegisters',
};

/** Types of XML Schema that the binding names; everything else is bytes. */
const XSD: Readonly<Partial<Record<RegisterType, string>>> = {
	bool: 'xsd:boolean',
	bit: 'xsd:unsignedShort',
	int16: 'xsd:short',
	uint16: 'xsd:unsignedShort',
	int32: 'xsd:int',
	uint32: 'xsd:unsignedInt',
	int64: 'xsd:long',
	uint64: 'xsd:unsignedLong',
	float32: 'xsd:float',
	float64: 'xsd:double',
	string: 'xsd:string',
};

/** What is swapped in an order that the binding can say; `null`: it cannot. */
function swapsOf({ byteOrder }: TemplatePoint): { readonly bytes: boolean; readonly words: boolean } | null {
	const swaps = [false, true].flatMap((bytes) => [false, true].map((words) => ({ bytes, words })));
	return swaps.find(({ bytes, words }) => swappedOrder(byteOrder.length, bytes, words) === byteOrder) ?? null;
}

function typeOf({ type, scale, scaleFactor, offset }: TemplatePoint): string {
	const { nature } = factsOfType(type);
	if (nature === 'truth') return 'boolean';
	if (nature === 'text') return 'string';
	const isWhole =
		nature !== 'float' && Number.isInteger(scale) && Number.isInteger(offset) && scaleFactor === undefined;
	return isWhole ? 'integer' : 'number';
}

const titlesOf = ({ name, labels }: TemplatePoint): object =>
	labels === undefined ? {} : { titles: { en: name, ...labels } };

/** How the raw value becomes the value, which the binding has no words for. */
const meaningOf = (point: TemplatePoint): object => ({
	...(point.scale === 1 ? {} : { 'drawbridge:scale': point.scale }),
	...(point.offset === 0 ? {} : { 'drawbridge:offset': point.offset }),
	...(point.scaleFactor === undefined ? {} : { 'drawbridge:scaleFactor': point.scaleFactor }),
	...(point.bit === undefined ? {} : { 'drawbridge:bit': point.bit }),
	...(point.slice === undefined ? {} : { 'drawbridge:slice': point.slice }),
	...(point.mask === undefined ? {} : { 'drawbridge:mask': point.mask }),
	...(point.invalid.length === 0 ? {} : { 'drawbridge:invalid': point.invalid }),
});

function wireOf(point: TemplatePoint, address: number): object {
	const swaps = point.type === 'bool' ? null : swapsOf(point);
	return {
		href: `${address}?quantity=${point.count}`,
		contentType: 'application/octet-stream',
		'modv:entity': ENTITIES[point.functionCode],
		'modv:type': XSD[point.type] ?? 'xsd:hexBinary',
		'modv:zeroBasedAddressing': true,
		...(swaps === null ? {} : { 'modv:mostSignificantByte': !swaps.bytes, 'modv:mostSignificantWord': !swaps.words }),
		...(swaps === null && point.type !== 'bool' ? { 'drawbridge:byteOrder': point.byteOrder } : {}),
	};
}

/** How a point is written where that follows not from how it is read. */
function writeForm(point: TemplatePoint): object {
	const name = WRITE_FUNCTIONS[point.write?.function ?? 0];
	const form = { ...wireOf(point, point.write?.address ?? point.address), op: ['writeproperty'] };
	return name === undefined ? form : { ...form, 'modv:function': name };
}

const isWrittenElsewhere = ({ write }: TemplatePoint): boolean =>
	write?.address !== undefined || write?.function !== undefined;

function formsOf(point: TemplatePoint, periodMs: number | null): readonly object[] {
	const reading = {
		...wireOf(point, point.address),
		...(periodMs === null ? {} : { 'modv:pollingTime': periodMs }),
		op: ['readproperty'],
	};
	if (point.access === 'r') return [reading];
	if (point.access === 'w') return [writeForm(point)];
	if (isWrittenElsewhere(point)) return [reading, writeForm(point)];
	return [{ ...reading, op: ['readproperty', 'writeproperty'] }];
}

/** Texts of numbers as constants with a title. */
function choicesOf({ type, enum: texts }: TemplatePoint): object {
	if (texts === null || type === 'bits' || !isNumeric(type)) return {};
	return { oneOf: Object.entries(texts).map(([value, title]) => ({ const: Number(value), title })) };
}

function propertyOf(point: TemplatePoint, periodMs: number | null): object {
	const { name, unit, access, min, max } = point;
	return {
		title: name,
		...titlesOf(point),
		type: typeOf(point),
		...(unit === '' ? {} : { unit }),
		...(min === null ? {} : { minimum: min }),
		...(max === null ? {} : { maximum: max }),
		...choicesOf(point),
		readOnly: access === 'r',
		writeOnly: access === 'w',
		observable: false,
		...meaningOf(point),
		forms: formsOf(point, periodMs),
	};
}

/** Points that exclude each other may share a key: the first one stands for all. */
const propertiesOf = ({ points }: DeviceTemplate, periodMs: number | null): object =>
	Object.fromEntries(
		points
			.toReversed()
			.map((point) => [point.key, propertyOf(point, periodMs)])
			.toReversed(),
	);

const OPEN = { securityDefinitions: { nosec_sc: { scheme: 'nosec' } }, security: ['nosec_sc'] } as const;

const describing = ({ manufacturer, model, category }: DeviceTemplate): object => ({
	'drawbridge:manufacturer': manufacturer,
	'drawbridge:model': model,
	'drawbridge:category': category,
});

/** A template as a W3C WoT Thing Model (Thing Description 1.1, section 10): where a device is, is left open. */
export const thingModel = (template: TemplateDocument): object => ({
	'@context': CONTEXT,
	'@type': 'tm:ThingModel',
	id: `urn:drawbridge:template:${template.key}`,
	title: `${template.manufacturer} ${template.model}`,
	...describing(template),
	base: 'modbus+tcp://{{HOST}}:{{PORT}}/{{UNIT_ID}}/',
	...OPEN,
	properties: propertiesOf(template, null),
});

/** A device as it is described. */
export interface DescribedThing {
	readonly id: string;
	readonly name: string;
	/** Over TCP; the Modbus binding has no address for other lines. */
	readonly connection: ModbusConnection & {
		readonly line: { readonly transport: 'tcp'; readonly host: string; readonly port: number };
	};
	/** As the device is read: with its options and overrides. */
	readonly template: DeviceTemplate;
}

/** A device as a W3C WoT Thing Description 1.1 with the Modbus binding. */
export function thingDescription({ id, name, connection, template }: DescribedThing): object {
	const { line, unitId, periodMs } = connection;
	const host = line.host.includes(':') ? `[${line.host}]` : line.host;
	return {
		'@context': CONTEXT,
		'@type': 'Thing',
		id: `urn:uuid:${id}`,
		title: name,
		...describing(template),
		base: `modbus+tcp://${host}:${line.port}/${unitId}/`,
		...OPEN,
		properties: propertiesOf(template, periodMs),
	};
}
