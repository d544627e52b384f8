// oxlint-disable unicorn/no-thenable -- joi writes its conditions with a key named `then`
import Joi from 'joi';

import { camelCase, snakeCase, treeRenamed } from '../tree.ts';
import type { Connection, Line } from './connection.ts';

type SnakeCase<S extends string> = S extends `${infer Head}${infer Rest}`
	? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${SnakeCase<Rest>}`
	: '';

/** A type with the names of its members as they are written in REST and in the settings file. */
type Written<T> = T extends readonly (infer Each)[]
	? readonly Written<Each>[]
	: T extends object
		? { readonly [Key in keyof T as Key extends string ? SnakeCase<Key> : never]: Written<T[Key]> }
		: T;

/** A connection as it is written in REST and in the settings file. */
export type ConnectionView = Written<Connection>;

/** A line of a Modbus device as it is written there. */
export type LineView = Written<Line>;

const TEMPLATE_KEY = /^[a-z0-9][a-z0-9-]{0,63}$/;
const POINT_KEY = /^[A-Za-z0-9_.-]{1,64}$/;
const OPTION_NAME = /^[a-z][a-z0-9_]{0,31}$/;
const FIELD_FILE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const MAX_OPTIONS = 50;
const MAX_OVERRIDES = 500;

const transportOf = (...of: readonly string[]) => Joi.object({ transport: Joi.valid(...of).required() }).unknown();

const hostName = () => Joi.string().hostname().max(253).required();
const portNumber = () => Joi.number().integer().min(1).max(65_535);

/** A serial port as it is written: its device file, or a link to it. */
export const portPath = Joi.string()
	.pattern(/^\/[\w./:@+-]+$/)
	.max(255)
	.required();

/** The specification names 19200 8E1 as the default of a serial line; 9600 8N1 is what meters are shipped with. */
const serialSettings = {
	path: portPath,
	baud_rate: Joi.number().integer().min(300).max(4_000_000).default(9_600),
	parity: Joi.valid('none', 'even', 'odd').default('none'),
	data_bits: Joi.valid(7, 8).default(8),
	stop_bits: Joi.valid(1, 2).default(1),
};

const tcpLine = Joi.object({
	transport: Joi.valid('tcp').required(),
	host: hostName(),
	port: portNumber().when('tls', {
		is: Joi.exist(),
		then: Joi.number().default(802),
		otherwise: Joi.number().default(502),
	}),
	tls: Joi.object({
		authority: Joi.string().pattern(FIELD_FILE),
		certificate: Joi.string().pattern(FIELD_FILE),
		server_name: Joi.string().hostname().max(253),
	}),
	depth: Joi.number().integer().min(1).max(16),
	close_after_poll: Joi.boolean(),
});

const serialLine = Joi.object({ transport: Joi.valid('rtu', 'ascii').required(), ...serialSettings });

const converterLine = Joi.object({
	transport: Joi.valid('rtu-over-tcp', 'ascii-over-tcp').required(),
	host: hostName(),
	port: portNumber().required(),
	baud_rate: Joi.number().integer().min(300).max(4_000_000),
});

/** The line of a Modbus device, with its defaults. */
export const modbusLineSchema = Joi.alternatives().conditional('.transport', {
	switch: [
		{ is: 'tcp', then: tcpLine },
		{ is: Joi.valid('rtu', 'ascii'), then: serialLine },
		{ is: Joi.valid('rtu-over-tcp', 'ascii-over-tcp'), then: converterLine },
	],
	otherwise: transportOf('tcp', 'rtu', 'ascii', 'rtu-over-tcp', 'ascii-over-tcp'),
});

const streamLine = Joi.alternatives().conditional('.transport', {
	switch: [
		{ is: 'serial', then: Joi.object({ transport: Joi.valid('serial').required(), ...serialSettings }) },
		{
			is: 'socket',
			then: Joi.object({ transport: Joi.valid('socket').required(), host: hostName(), port: portNumber().required() }),
		},
	],
	otherwise: transportOf('serial', 'socket'),
});

const periodMs = () => Joi.number().integer().min(50).max(86_400_000);
const timeoutMs = () => Joi.number().integer().min(10).max(60_000);

const tuning = Joi.object({
	timeout_mode: Joi.valid('adaptive', 'fixed'),
	retries: Joi.number().integer().min(0).max(5),
	guard_ms: Joi.number().integer().min(0).max(10_000),
	max_registers: Joi.number().integer().min(1).max(125),
	fast_period_ms: periodMs(),
	slow_period_ms: periodMs(),
});

const options = Joi.array()
	.items(
		Joi.object({
			name: Joi.string().pattern(OPTION_NAME).required(),
			value: Joi.alternatives(Joi.boolean().strict(), Joi.number().strict(), Joi.string().max(64).allow('')).required(),
		}),
	)
	.unique('name')
	.max(MAX_OPTIONS);

const overrides = Joi.array()
	.items(
		Joi.object({
			point: Joi.string().pattern(POINT_KEY).required(),
			read: Joi.boolean(),
			name: Joi.string().min(1).max(255),
			unit: Joi.string().max(32).allow(''),
			scale: Joi.number().invalid(0),
			offset: Joi.number(),
			min: Joi.number(),
			max: Joi.number(),
			poll: Joi.valid('fast', 'normal', 'slow', 'once', 'on-demand'),
		}),
	)
	.unique('point')
	.max(MAX_OVERRIDES);

const modbusConnection = Joi.object({
	driver: Joi.valid('modbus').required(),
	line: modbusLineSchema.required(),
	unit_id: Joi.number()
		.integer()
		.min(0)
		.max(255)
		.default(1)
		.when('line.transport', { not: 'tcp', then: Joi.number().min(1).max(247) }),
	template: Joi.string().pattern(TEMPLATE_KEY).required(),
	period_ms: periodMs().default(1_000),
	timeout_ms: timeoutMs().default(1_000),
	tuning,
	options,
	overrides,
});

const serialConnection = Joi.object({
	driver: Joi.valid('serial').required(),
	line: streamLine.required(),
	template: Joi.string().pattern(TEMPLATE_KEY).required(),
	period_ms: periodMs().default(1_000),
	timeout_ms: timeoutMs().default(5_000),
	options,
	overrides,
});

/** How a device is reached, with its defaults, in the words of REST and of the settings file. */
export const connectionSchema = Joi.alternatives().conditional('.driver', {
	switch: [
		{ is: 'modbus', then: modbusConnection },
		{ is: 'serial', then: serialConnection },
		{ is: 'mqtt', then: Joi.object({ driver: Joi.valid('mqtt').required() }) },
	],
	otherwise: Joi.object({ driver: Joi.valid('modbus', 'serial', 'mqtt').required() }).unknown(),
});

/** A validated connection in the words of the program. */
export const toConnection = (view: ConnectionView | null): Connection | null =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `Written` is this renaming, in types
	treeRenamed(view, camelCase) as Connection | null;

/** A validated line in the words of the program. */
export const toLine = (view: LineView): Line =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `Written` is this renaming, in types
	treeRenamed(view, camelCase) as Line;

/** A line in the words of REST. */
export const lineView = (line: Line): LineView =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `Written` is this renaming, in types
	treeRenamed(line, snakeCase) as LineView;

/** A connection in the words of REST. */
export const connectionView = (connection: Connection | null): ConnectionView | null =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `Written` is this renaming, in types
	treeRenamed(connection, snakeCase) as ConnectionView | null;
