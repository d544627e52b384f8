import test from 'ava';
import fc from 'fast-check';

import type { SerialFormat } from '../../config/template/serial-format.ts';
import type { DeviceTemplate } from '../../config/template/template.ts';
import { parseTemplate } from '../../config/template/template-schema.ts';
import { hasValidChecksum } from '../../gateway/driver/serial/checksum.ts';
import { createFrameDecoder } from '../../gateway/driver/serial/frame-decoder.ts';
import { createFrameReader } from '../../gateway/driver/serial/frame-reader.ts';
import { dsmrTelegram, LIBRARY, nmeaSentence } from '../fake/stream-bench.ts';

interface Model {
	readonly template: DeviceTemplate;
	readonly format: SerialFormat;
}

const modelOf = (template: DeviceTemplate | undefined): Model => {
	if (template?.serial === undefined) throw new RangeError('no serial template');
	return { template, format: template.serial };
};

/** A binary template with this framing. */
const binary = (framing: object, checksum?: object): Model =>
	modelOf(
		parseTemplate('fuzzed', {
			kind: 'serial',
			manufacturer: 'Acme',
			model: 'Fuzzed',
			category: 'sensor',
			framing,
			...(checksum === undefined ? {} : { checksum }),
			layout: { kind: 'binary' },
			points: [
				{ key: 'a', name: 'A', at: 1, type: 'int32', byte_order: 'CDAB' },
				{ key: 'b', name: 'B', at: 3, type: 'string', length: 5 },
				{ key: 'c', name: 'C', at: 0, type: 'float32', scale: 0.1, invalid: ['7FC00000'] },
			],
		}),
	);

const crc = { type: 'crc16-x25', at: -2, order: 'little', covers: { from: 0, to: -2 } };

const models: Readonly<Record<string, Model>> = {
	...Object.fromEntries(
		[...LIBRARY].filter(([, { serial }]) => serial !== undefined).map(([key, each]) => [key, modelOf(each)]),
	),
	'fixed length': binary({ by: 'length', length: 12, start: '\\xAA', max: 32 }, crc),
	'fixed length, unmarked': binary({ by: 'length', length: 12, max: 32 }, crc),
	'length field': binary({ by: 'length-field', at: 1, type: 'uint16le', plus: 3, start: '\\xAA', max: 64 }, crc),
	gap: binary({ by: 'gap', gap_ms: 20, max: 64 }, crc),
	'start and end': binary({ by: 'delimiter', start: '\\x02', end: '\\x03', after: 2, max: 64 }, crc),
};

/** Bytes that look as if they meant something. */
const pieces = fc.oneof(
	fc.uint8Array({ maxLength: 80 }),
	fc
		.constantFrom(
			'$',
			'!',
			'/',
			'\r\n',
			'BM\0\x1c',
			'\xaa',
			'\xaa\x09\0',
			'\x02',
			'\x03',
			'ST,GS,+1kg\r\n',
			'$GPGGA,*00\r\n',
			'1-0:1.8.1(',
		)
		.map((text) => Buffer.from(text, 'latin1')),
);

interface Heard {
	frames: Buffer[];
	bytes: number;
	mostHeld: number;
}

function feed({ format }: Model, chunks: readonly Uint8Array[]): Heard {
	const heard: Heard = { frames: [], bytes: 0, mostHeld: 0 };
	const reader = createFrameReader(format, {
		frame(frame) {
			heard.frames.push(Buffer.from(frame));
			heard.bytes += frame.length;
		},
		damaged() {},
		noise: (bytes) => void (heard.bytes += bytes),
	});
	chunks.forEach((chunk, index) => {
		reader.push(chunk);
		heard.mostHeld = Math.max(heard.mostHeld, reader.held);
		if (index % 3 === 2) reader.silence();
	});
	heard.bytes += reader.held;
	return heard;
}

for (const [name, model] of Object.entries(models)) {
	test(`${name}: whatever comes, no byte is lost or kept for ever, and no frame has a wrong checksum`, (t) => {
		const { format, template } = model;
		const decoder = createFrameDecoder(template, format, () => {});
		fc.assert(
			fc.property(fc.array(pieces, { maxLength: 20 }), (chunks) => {
				const { frames, bytes, mostHeld } = feed(model, chunks);
				t.is(
					bytes,
					chunks.reduce((sum, { length }) => sum + length, 0),
				);
				t.true(mostHeld <= format.framing.mostBytes);
				for (const frame of frames) {
					t.true(format.checksum === null || hasValidChecksum(frame, format.checksum));
					t.true(frame.length <= format.framing.mostBytes);
					const decoded = decoder.decode(frame, 0);
					t.true(decoded === null || decoded.values.length === decoded.keys.length);
				}
			}),
			{ numRuns: 1500 },
		);
	});
}

const SENTENCE = nmeaSentence('GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,');
const TELEGRAM = dsmrTelegram(['0-0:96.14.0(0002)', '1-0:1.7.0(01.193*kW)']);

for (const [key, frame] of [
	['nmea-0183-gnss', SENTENCE],
	['dsmr-p1', TELEGRAM],
] as const) {
	test(`${key}: one wrong byte in a frame, wherever it is, gives no value`, (t) => {
		const model = modelOf(LIBRARY.get(key));
		const sound = Buffer.from(frame, 'latin1');
		t.is(feed(model, [sound]).frames.length, 1);
		for (let at = 0; at < sound.length; at += 1) {
			for (const flip of [1, 4, 16, 64]) {
				const spoilt = Buffer.from(sound);
				spoilt[at] = (spoilt[at] ?? 0) ^ flip;
				for (const found of feed(model, [spoilt]).frames) {
					const isSame =
						found.subarray(0, -2).toString('latin1').toUpperCase() ===
						sound.subarray(0, -2).toString('latin1').toUpperCase();
					t.true(isSame, `byte ${at} ^ ${flip}: ${found.toString('latin1')}`);
				}
			}
		}
	});

	test(`${key}: a sound frame behind any noise is found`, (t) => {
		const model = modelOf(LIBRARY.get(key));
		const sound = Buffer.from(frame, 'latin1');
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat({ max: 200 }), (noise, cut) => {
				const half = sound.subarray(0, cut % sound.length);
				const { frames } = feed(model, [noise, half, sound, sound]);
				t.true(frames.some((found) => found.equals(sound)));
			}),
			{ numRuns: 1000 },
		);
	});
}
