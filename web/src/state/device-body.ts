import type { ModbusTransport, StreamTransport, TemplateOptionView, TemplateView } from '../wire-field.ts';
import { overridesIn } from './override-body.ts';
import { type Body, type ReadField, givenNumber, givenText } from './read-field.ts';

export type Transport = ModbusTransport | StreamTransport;

export type Kind = Transport | 'mqtt';

export const LINE = 'connection.line';
export const TUNING = 'connection.tuning';

/** Of the tuning of a Modbus device; empty fields are left out. */
export const TUNING_NUMBERS = ['retries', 'guard_ms', 'max_registers', 'fast_period_ms', 'slow_period_ms'] as const;

/** Whether a device of this kind is serial and not Modbus. */
export const isStream = (kind: Kind): kind is StreamTransport => kind === 'serial' || kind === 'socket';

/** `null` of an empty field, which the server then names. */
const numeric = (field: ReadField, name: string): number | null => (field(name) === '' ? null : Number(field(name)));

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
		...givenText('authority', field(`${LINE}.tls.authority`)),
		...givenText('certificate', field(`${LINE}.tls.certificate`)),
		...givenText('server_name', field(`${LINE}.tls.server_name`)),
	};
	return {
		...hostOf(field),
		...(depth !== null && depth !== 1 && { depth }),
		...(field(`${LINE}.close_after_poll`) !== '' && { close_after_poll: true }),
		...(field(`${LINE}.tls`) !== '' && { tls }),
	};
}

const LINES: Readonly<Record<Transport, (field: ReadField) => Body>> = {
	tcp: tcpOf,
	rtu: serialOf,
	ascii: serialOf,
	'rtu-over-tcp': converterOf,
	'ascii-over-tcp': converterOf,
	serial: serialOf,
	socket: hostOf,
};

/** The line of a device, as the form has it. */
export const lineBody = (transport: Transport, field: ReadField): Body => ({
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

function tuningOf(field: ReadField): Body {
	const tuning: Body = {
		...givenText('timeout_mode', field(`${TUNING}.timeout_mode`)),
		...Object.assign({}, ...TUNING_NUMBERS.map((name) => givenNumber(name, field(`${TUNING}.${name}`)))),
	};
	return Object.keys(tuning).length === 0 ? {} : { tuning };
}

/** The connection as the form has it. */
export function connectionBody(kind: Kind, template: TemplateView | undefined, field: ReadField): Body {
	if (kind === 'mqtt') return { driver: 'mqtt' };
	return {
		driver: isStream(kind) ? 'serial' : 'modbus',
		line: lineBody(kind, field),
		template: template?.key ?? '',
		...(!isStream(kind) && { unit_id: numeric(field, 'connection.unit_id') }),
		period_ms: numeric(field, 'connection.period_ms'),
		timeout_ms: numeric(field, 'connection.timeout_ms'),
		...(!isStream(kind) && tuningOf(field)),
		...optionsOf(template, field),
		...overridesIn(field),
	};
}

/** The device as the form has it. */
export const deviceBody = (kind: Kind, template: TemplateView | undefined, field: ReadField) => ({
	name: field('name').trim(),
	device_type: field('device_type').trim(),
	...givenText('device_uid', field('device_uid')),
	connection: connectionBody(kind, template, field),
});
