import Joi from 'joi';

import type { DeviceStatus } from '../device/device.ts';
import { type EpochMs, toIso } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { DeviceUid } from '../kernel/id.ts';
import type { JsonValue, Quality, Reading, SampleValue } from './reading.ts';
import {
	MAX_TIMESTAMP_LENGTH,
	MAX_TYPE_LENGTH,
	type Metrics,
	metricsFault,
	telemetryType,
	timestamp,
} from './telemetry-schema.ts';
import { parseTimestamp } from './timestamp-input.ts';

/** Root of all device topics. */
export const DEVICES_ROOT = 'devices';

/** What a device publishes below `devices/{uid}/` (reference 000). */
export const DEVICE_TOPICS = ['telemetry', 'status', 'log', 'response'] as const;
export type DeviceTopic = (typeof DEVICE_TOPICS)[number];

export const deviceRoot = (uid: DeviceUid): string => `${DEVICES_ROOT}/${uid}`;

/** The kind of a topic that this device may publish on; `null` for any other. */
export function deviceTopicOf(uid: DeviceUid, topic: string): DeviceTopic | null {
	const root = `${deviceRoot(uid)}/`;
	if (!topic.startsWith(root)) return null;
	const kind = topic.slice(root.length);
	return DEVICE_TOPICS.find((known) => known === kind) ?? null;
}

/** A message of a device, checked. `at`: when it was measured, as far as the device says so. */
export interface DeviceMessage {
	readonly at: EpochMs | null;
	readonly fields: Metrics;
}

export interface TelemetryMessage extends DeviceMessage {
	readonly telemetryType: string;
}

export interface StatusMessage {
	readonly status: DeviceStatus;
}

export interface ResponseMessage extends DeviceMessage {
	readonly commandId: string;
	readonly status: 'executed' | 'failed';
}

interface Envelope {
	readonly timestamp?: EpochMs;
	readonly telemetry_type: string;
	readonly [metric: string]: unknown;
}

const refuse = (rule: string): Fault => new Fault('rule-violation', rule);

const DEFAULT_TYPE = 'default';
const TELEMETRY_KEYS = ['timestamp', 'telemetry_type'];
const LOG_KEYS = ['timestamp', 'event_type'];
const STATUS_KEYS = ['status'];
const RESPONSE_KEYS = ['timestamp', 'command_id', 'status'];

/** What the envelope of telemetry is checked by, unless it is plainly fine. */
export const telemetrySchema = Joi.object<Envelope>({
	timestamp,
	telemetry_type: telemetryType.default(DEFAULT_TYPE),
}).unknown();
const logSchema = Joi.object<{ timestamp?: EpochMs; event_type: string }>({
	timestamp,
	event_type: Joi.string().min(1).max(100).required(),
}).unknown();
const statusSchema = Joi.object<StatusMessage>({
	status: Joi.valid('online', 'offline', 'maintenance').required(),
}).options({ stripUnknown: true });
const responseSchema = Joi.object<{ timestamp?: EpochMs; command_id: string; status: 'executed' | 'failed' }>({
	timestamp,
	command_id: Joi.string().guid().lowercase().required(),
	status: Joi.valid('executed', 'failed').default('executed'),
}).unknown();

/** Of a message, what the envelope says; metrics have been checked by then, and joi would copy each of them. */
const envelopeOf = (raw: Metrics, keys: readonly string[]): Metrics => {
	const envelope: Record<string, JsonValue> = {};
	for (const key of keys) if (raw[key] !== undefined) envelope[key] = raw[key];
	return envelope;
};

/** The metrics of a payload, checked. */
function metricsIn(payload: Buffer): Metrics {
	let raw: unknown;
	try {
		raw = JSON.parse(payload.toString());
	} catch {
		throw refuse('the payload is not valid JSON');
	}
	if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw refuse('the payload is not a JSON object');
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an object that came out of JSON.parse
	const metrics = raw as Metrics;
	const fault = metricsFault(metrics);
	if (fault !== null) throw refuse(`the payload ${fault}`);
	return metrics;
}

/** @param keys of the schema */
function checked<T>(raw: Metrics, schema: Joi.ObjectSchema<T>, keys: readonly string[]): T {
	const { value, error } = schema.validate(envelopeOf(raw, keys));
	if (error !== undefined) throw refuse(error.message);
	return value;
}

function parse<T>(
	payload: Buffer,
	schema: Joi.ObjectSchema<T>,
	keys: readonly string[],
): { readonly value: T; readonly raw: Metrics } {
	const raw = metricsIn(payload);
	return { value: checked(raw, schema, keys), raw };
}

function without(raw: Metrics, ...left: readonly string[]): Record<string, JsonValue> {
	const rest: Record<string, JsonValue> = {};
	for (const key of Object.keys(raw)) if (!left.includes(key)) rest[key] = raw[key] ?? null;
	return rest;
}

/** HOT: the verdict of the schema on an envelope that is fine, without asking it; `null` leaves verdict and words to the schema. */
function plainEnvelope({
	timestamp: at,
	telemetry_type: type = DEFAULT_TYPE,
}: Metrics): Omit<TelemetryMessage, 'fields'> | null {
	if (typeof type !== 'string' || type === '' || type.length > MAX_TYPE_LENGTH) return null;
	if (at === undefined) return { at: null, telemetryType: type };
	const instant = typeof at === 'string' && at.length <= MAX_TIMESTAMP_LENGTH ? parseTimestamp(at) : null;
	return instant === null ? null : { at: instant, telemetryType: type };
}

function checkedEnvelope(raw: Metrics): Omit<TelemetryMessage, 'fields'> {
	const { timestamp: at, telemetry_type: type } = checked(raw, telemetrySchema, TELEMETRY_KEYS);
	return { at: at ?? null, telemetryType: type };
}

/** `devices/{uid}/telemetry`. @throws Fault `rule-violation` naming the rule */
export function parseTelemetry(payload: Buffer): TelemetryMessage {
	const raw = metricsIn(payload);
	const envelope = plainEnvelope(raw) ?? checkedEnvelope(raw);
	const fields = without(raw, 'timestamp', 'telemetry_type');
	if (Object.keys(fields).length === 0) throw refuse('the payload needs at least one metric');
	return { at: envelope.at, telemetryType: envelope.telemetryType, fields };
}

/** `devices/{uid}/status`. @throws Fault `rule-violation` naming the rule */
export const parseStatus = (payload: Buffer): StatusMessage => parse(payload, statusSchema, STATUS_KEYS).value;

/** `devices/{uid}/log`. @throws Fault `rule-violation` naming the rule */
export function parseLog(payload: Buffer): DeviceMessage {
	const { value, raw } = parse(payload, logSchema, LOG_KEYS);
	return { at: value.timestamp ?? null, fields: without(raw, 'timestamp') };
}

/** `devices/{uid}/response`; without `status` the command counts as executed. @throws Fault `rule-violation` naming the rule */
export function parseResponse(payload: Buffer): ResponseMessage {
	const { value, raw } = parse(payload, responseSchema, RESPONSE_KEYS);
	const { command_id: commandId, status } = value;
	return { at: value.timestamp ?? null, commandId, status, fields: { ...without(raw, 'timestamp'), status } };
}

const keyCache = new WeakMap<readonly string[], readonly string[]>();

/** `,"key":` of each point. Drivers share the array of one request plan, so this is built once for each plan. */
function keysOf(points: readonly string[]): readonly string[] {
	let keys = keyCache.get(points);
	if (keys === undefined) keyCache.set(points, (keys = points.map((point) => `,${JSON.stringify(point)}:`)));
	return keys;
}

function jsonOf(value: SampleValue, quality: Quality): string {
	if (quality !== 'good') return 'null';
	if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
	return typeof value === 'bigint' ? `"${value}"` : JSON.stringify(value);
}

/**
 * The payload of a reading on `devices/{uid}/telemetry`: `timestamp` and the metrics, `null` for those that are not good.
 * Whole numbers beyond 2^53 are decimal text. On the hot path: one pass, no intermediate object.
 */
export function encodeTelemetry({ readAt, points, values, qualities }: Reading): string {
	const keys = keysOf(points);
	let text = `{"timestamp":"${toIso(readAt)}"`;
	for (let index = 0; index < keys.length; index += 1)
		text += `${keys[index]}${jsonOf(values[index] ?? null, qualities?.[index] ?? 'good')}`;
	return `${text}}`;
}
