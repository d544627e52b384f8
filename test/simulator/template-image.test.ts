import { join } from 'node:path';

import test from 'ava';

import { parseTemplate, readTemplates } from '../../config/template/template-schema.ts';
import type { TemplateDocument, TemplatePoint } from '../../config/template/template.ts';
import { createReadDecoder } from '../../gateway/driver/modbus/codec/register-decoder.ts';
import { numberAt } from '../../gateway/simulator/point-value.ts';
import { halfBits } from '../../gateway/simulator/raw-value.ts';
import { answerPdu } from '../../gateway/simulator/slave-pdu.ts';
import { createTemplateImage } from '../../gateway/simulator/template-image.ts';

const NOON = Date.UTC(2026, 5, 1, 12);

function readPdu(point: TemplatePoint): Buffer {
	const pdu = Buffer.alloc(5);
	pdu[0] = point.functionCode;
	pdu.writeUInt16BE(point.address, 1);
	pdu.writeUInt16BE(point.count, 3);
	return pdu;
}

const template = (points: readonly object[], more: object = {}): TemplateDocument =>
	parseTemplate('made', {
		manufacturer: 'Maker',
		model: 'M-1',
		category: 'meter',
		transports: ['tcp'],
		points: points.map((point, index) => ({
			key: `p${index}`,
			name: 'Point',
			function: 3,
			byte_order: 'AB',
			...point,
		})),
		...more,
	});

test('every point of every template of the product can be read, and reads as a value that is good', async (t) => {
	const { templates } = await readTemplates(join(process.cwd(), 'config', 'template'));
	t.true(templates.size > 0);
	for (const document of templates.values()) {
		if (document.serial !== undefined) continue;
		const image = createTemplateImage({ template: document, seed: 1 });
		for (const point of document.points) {
			if (point.scaleFactor !== undefined || point.when !== undefined || point.access === 'w') continue;
			const reply = answerPdu(image, readPdu(point), NOON);
			const where = `${document.key}.${point.key}: ${reply.toString('hex')}`;
			t.is(reply[0], point.functionCode, where);
			const { functionCode, address, count } = point;
			const request = { functionCode, address, count, points: [point], keys: [point.key] };
			const { values, qualities } = createReadDecoder(request)(reply.subarray(2));
			t.not(values[0], null, where);
			t.true(qualities === null || qualities[0] === 'good', where);
		}
	}
});

test('a measurement wanders around what its unit is known for', (t) => {
	const point = template([{ address: 0, count: 2, type: 'float32', byte_order: 'ABCD', unit: 'V' }]).points[0];
	if (point === undefined) throw new Error('no point');
	const values = Array.from({ length: 200 }, (_, index) => numberAt(point, undefined, 1, NOON + index * 7000));
	t.true(values.every((value) => value > 220 && value < 240));
	t.true(Math.max(...values) - Math.min(...values) > 2);
	t.is(numberAt(point, undefined, 1, NOON), numberAt(point, undefined, 1, NOON));
	t.not(numberAt(point, undefined, 1, NOON), numberAt(point, undefined, 2, NOON));
});

test('a counter grows and never falls', (t) => {
	const point = template([{ address: 0, count: 2, type: 'uint32', byte_order: 'ABCD', unit: 'Wh', kind: 'counter' }])
		.points[0];
	if (point === undefined) throw new Error('no point');
	let last = 0;
	for (let hour = 0; hour < 200; hour += 1) {
		const value = numberAt(point, undefined, 1, NOON + hour * 3_600_000);
		t.true(value > last);
		last = value;
	}
});

test('a probe reads as what tells this model from others', (t) => {
	const document = template([{ address: 0, count: 1, type: 'uint16' }], {
		probe: [{ key: 'p0', min: 4660, max: 4660 }],
	});
	const image = createTemplateImage({ template: document, seed: 1 });
	t.is(answerPdu(image, Buffer.from('0300000001', 'hex'), NOON).toString('hex'), '03021234');
});

test('a setting keeps what is written; what the template does not let be written is refused', (t) => {
	const image = createTemplateImage({
		template: template([
			{ address: 10, count: 2, type: 'uint32', byte_order: 'ABCD', kind: 'setting', access: 'rw' },
			{ address: 20, count: 1, type: 'uint16' },
		]),
		seed: 1,
	});
	const ask = (hex: string): string => answerPdu(image, Buffer.from(hex, 'hex'), NOON).toString('hex');
	t.is(ask('10000a00020400010203'), '10000a0002');
	t.is(ask('03000a0002'), '030400010203');
	t.is(ask('0600140001'), '8602');
	t.is(ask('0600500001'), '8602');
});

test('a device refuses more registers than it takes, and addresses it does not have', (t) => {
	const image = createTemplateImage({
		template: template(
			[
				{ address: 0, count: 1, type: 'uint16' },
				{ address: 9, count: 1, type: 'uint16' },
				{ address: 100, count: 1, type: 'uint16' },
			],
			{ max_registers: 20 },
		),
		seed: 1,
	});
	const ask = (hex: string): string => answerPdu(image, Buffer.from(hex, 'hex'), NOON).toString('hex').slice(0, 4);
	t.is(ask('030000000a'), '0314', 'a small hole is filled');
	t.is(ask('0300090064'), '8303');
	t.is(ask('0300090012'), '8302');
	t.is(ask('0400000001'), '8402');
});

test('half-precision numbers are those of IEEE 754', (t) => {
	for (const [value, bits] of [
		[0, 0],
		[1, 0x3c00],
		[-2, 0xc000],
		[65_504, 0x7bff],
		[0.333_251_953_125, 0x3555],
		[5.960_464_477_539_063e-8, 1],
		[70_000, 0x7c00],
		[0.999_9, 0x3c00],
	] as const) {
		t.is(halfBits(value), bits, String(value));
	}
});
