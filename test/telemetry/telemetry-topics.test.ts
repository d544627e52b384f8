import test from 'ava';
import fc from 'fast-check';

import { epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { deviceId, deviceUid } from '../../core/kernel/id.ts';
import {
	deviceTopicOf,
	encodeTelemetry,
	parseLog,
	parseResponse,
	parseStatus,
	parseTelemetry,
	telemetrySchema,
} from '../../core/telemetry/telemetry-topics.ts';
import { GATEWAY } from '../fake/device-box.ts';
import { draftOf } from '../fake/memory-telemetry.ts';

const NOW = Date.UTC(2026, 0, 1);
const METER = deviceId('dd000000-0000-4000-8000-000000000000');

const of = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

test('a topic belongs to the device whose address is a whole level of it', (t) => {
	const uid = deviceUid('meter-1');
	t.is(deviceTopicOf(uid, 'devices/meter-1/telemetry'), 'telemetry');
	for (const topic of [
		'devices/meter-10/telemetry',
		'devices/meter-1/command',
		'devices/meter-1',
		'devices/meter-1/telemetry/x',
		'x/meter-1/log',
	])
		t.is(deviceTopicOf(uid, topic), null, topic);
});

test('device messages are taken or refused by rules that are named', (t) => {
	t.deepEqual(
		parseTelemetry(of({ temperature: 23.5, nested: { a: [1, null] }, timestamp: '2026-01-01T09:00:00+09:00' })),
		{
			at: epochMs(NOW),
			telemetryType: 'default',
			fields: { temperature: 23.5, nested: { a: [1, null] } },
		},
	);
	t.deepEqual(parseStatus(of({ status: 'online', more: 1 })), { status: 'online' });
	t.deepEqual(parseLog(of({ event_type: 'boot', reason: 'power_on' })), {
		at: null,
		fields: { event_type: 'boot', reason: 'power_on' },
	});
	const commandId = 'dc000000-0000-4000-8000-000000000001';
	t.like(parseResponse(of({ command_id: commandId, result: 7 })), {
		commandId,
		status: 'executed',
		fields: { command_id: commandId, result: 7, status: 'executed' },
	});
	const bad: readonly (readonly [() => unknown, RegExp])[] = [
		[() => parseTelemetry(Buffer.from('{')), /not valid JSON/],
		[() => parseTelemetry(of([1])), /not a JSON object/],
		[() => parseTelemetry(of(null)), /not a JSON object/],
		[() => parseTelemetry(of({})), /at least one metric/],
		[() => parseTelemetry(of({ timestamp: '2026-01-01' })), /at least one metric/],
		[() => parseTelemetry(of({ timestamp: 'now', a: 1 })), /"timestamp" must be an ISO 8601 time/],
		[() => parseTelemetry(of({ telemetry_type: 5, a: 1 })), /telemetry_type/],
		[() => parseTelemetry(of(Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`p${n}`, n])))), /501 metrics/],
		[() => parseTelemetry(Buffer.from(`{"a":${'['.repeat(2000)}${']'.repeat(2000)}}`)), /deeper/],
		[() => parseTelemetry(Buffer.from('{"__proto__":{"a":1}}')), /name/],
		[() => parseStatus(of({ status: 'tired' })), /"status" must be one of/],
		[() => parseLog(of({ reason: 'x' })), /"event_type" is required/],
		[() => parseResponse(of({ command_id: 7 })), /command_id/],
	];
	for (const [parse, sentence] of bad) t.throws(parse, { name: 'Fault', message: sentence });
});

/** What becomes of a telemetry message when joi alone judges its envelope. */
function byTheSchema({ metric, ...envelope }: Readonly<Record<string, unknown>>): unknown {
	const { value, error } = telemetrySchema.validate(JSON.parse(JSON.stringify(envelope)));
	if (error !== undefined) return error.message;
	return { at: value.timestamp ?? null, telemetryType: value.telemetry_type, fields: { metric } };
}

function byTheParser(message: unknown): unknown {
	try {
		return parseTelemetry(of(message));
	} catch (error) {
		return error instanceof Fault ? error.message : error;
	}
}

test('an envelope that is taken without joi is one that joi takes, with the same meaning', (t) => {
	const anything = fc.oneof(fc.jsonValue(), fc.string({ maxLength: 110 }), fc.constant(undefined));
	const instant = fc.oneof(
		fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
		fc.constantFrom(
			'2026-01-01',
			'2026-01-01T09:00',
			'2026-01-01T09:00:00+0900',
			'2026-13-01',
			` 2026-01-01`,
			'0'.repeat(41),
		),
	);
	const type = fc.oneof(
		fc.integer({ min: 0, max: 102 }).map((length) => 'x'.repeat(length)),
		fc.constantFrom('sensor_data', ' spaced ', '\u0000', '\ud800'),
	);
	fc.assert(
		fc.property(
			fc.record(
				{ timestamp: fc.oneof(instant, anything), telemetry_type: fc.oneof(type, anything) },
				{ requiredKeys: [] },
			),
			(envelope) => {
				const message = { ...envelope, metric: 1 };
				t.deepEqual(byTheParser(message), byTheSchema(message));
			},
		),
		{ numRuns: 2_000 },
	);
});

test('a reading is encoded with null for what is not good and text for what JSON cannot count', (t) => {
	const values = { a: 1.5, b: 2n ** 63n, c: true, 'd"': 'x"y', e: null, f: 9, g: Number.NaN };
	const draft = draftOf(METER, NOW, values, ['good', 'good', 'good', 'good', 'good', 'comm_error', 'good']);
	const text = encodeTelemetry({ ...draft, origin: GATEWAY, epoch: 1, firstSeq: 1 });
	t.deepEqual(JSON.parse(text), {
		timestamp: '2026-01-01T00:00:00.000Z',
		a: 1.5,
		b: '9223372036854775808',
		c: true,
		'd"': 'x"y',
		e: null,
		f: null,
		g: null,
	});
});
