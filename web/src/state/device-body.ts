import type { ModbusTransport, TemplateOptionView, TemplateView } from '../wire-field.ts';

/** What a form says of a field; empty when it has none. */
export type ReadField = (name: string) => string;

export type Kind = ModbusTransport | 'mqtt';

export const LINE = 'connection.line';

type Body = Readonly<Record<string, unknown>>;

/** `null` of an empty field, which the server then names. */
const numeric = (field: ReadField, name: string): number | null => (field(name) === '' ? null : Number(field(name)));

/** A member, unless the field is empty. */
const given = (key: string, text: string): Body => (text.trim() === '' ? {} : { [key]: text.trim() });

const hostOf = (field: ReadField): Body => ({
	host: field(`${LINE}.host`).trim(),
	port: numeric(field, `${LINE}.port`),
});

const serialOf = (field: ReadField): Body => ({
	path: field(`${LINE}.path`).trim(),
	baud_rate: numeric(field, `${LINE}.baud_rate`),
	parity: field(`${LINE}.parity`),
	data_bits: numeric(field, `${LINE}.data_bits`),
	stop_bits: numeric(field, `${LINE}.stop_bits`),
});

const converterOf = (field: ReadField): Body => ({ ...hostOf(field), baud_rate: numeric(field, `${LINE}.baud_rate`) });

function tcpOf(field: ReadField): Body {
	const depth = numeric(field, `${LINE}.depth`);
	const tls = {
		...given('authority', field(`${LINE}.tls.authority`)),
		...given('certificate', field(`${LINE}.tls.certificate`)),
		...given('server_name', field(`${LINE}.tls.server_name`)),
	};
	return {
		...hostOf(field),
		...(depth !== null && depth !== 1 && { depth }),
		...(field(`${LINE}.close_after_poll`) !== '' && { close_after_poll: true }),
		...(field(`${LINE}.tls`) !== '' && { tls }),
	};
}

const LINES: Readonly<Record<ModbusTransport, (field: ReadField) => Body>> = {
	tcp: tcpOf,
	rtu: serialOf,
	ascii: serialOf,
	'rtu-over-tcp': converterOf,
	'ascii-over-tcp': converterOf,
};

/** The line of a Modbus device, as the form has it. */
export const lineBody = (transport: ModbusTransport, field: ReadField): Body => ({
	transport,
	...LINES[transport](field),
});

/** Name of the field of an option of the template. */
export const optionField = (index: number): string => `connection.options.${index}.value`;

/** By the type of the option; a text that is none stays one, so that the server names it. */
const READERS: Readonly<Record<TemplateOptionView['type'], (text: string) => unknown>> = {
	boolean: (text) => text === 'true',
	number: (text) => (text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text)),
	text: (text) => text,
};

const optionsOf = (template: TemplateView | undefined, field: ReadField): Body => {
	const options = template?.options ?? [];
	if (options.length === 0) return {};
	const values = options.map(({ name, type }, index) => ({ name, value: READERS[type](field(optionField(index))) }));
	return { options: values };
};

/** The connection as the form has it. */
export function connectionBody(kind: Kind, template: TemplateView | undefined, field: ReadField): Body {
	if (kind === 'mqtt') return { driver: 'mqtt' };
	return {
		driver: 'modbus',
		line: lineBody(kind, field),
		template: template?.key ?? '',
		unit_id: numeric(field, 'connection.unit_id'),
		period_ms: numeric(field, 'connection.period_ms'),
		timeout_ms: numeric(field, 'connection.timeout_ms'),
		...optionsOf(template, field),
	};
}

/** The device as the form has it. */
export const deviceBody = (kind: Kind, template: TemplateView | undefined, field: ReadField): Body => ({
	name: field('name').trim(),
	device_type: field('device_type').trim(),
	...given('device_uid', field('device_uid')),
	connection: connectionBody(kind, template, field),
});
