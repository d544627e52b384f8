import test from 'ava';
import fc from 'fast-check';

import type { SerialFormat } from '../../config/template/serial-format.ts';
import { parseTemplate } from '../../config/template/template-schema.ts';
import { shownStream } from '../../gateway/diagnose/stream-frames.ts';
import type { LineFrame } from '../../gateway/driver/frame-ring.ts';
import { LIBRARY, nmeaSentence } from '../fake/stream-bench.ts';

function formatOf(key: string): SerialFormat {
	const format = LIBRARY.get(key)?.serial;
	if (format === undefined) throw new Error(`${key} is no serial template`);
	return format;
}

const NMEA = formatOf('nmea-0183-gnss');
const SCALE = formatOf('weighing-scale-ascii');
const GGA = nmeaSentence('GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,');
const TEXT = GGA.replace('\r\n', '\\x0d\\x0a');

type Piece = readonly [us: number, direction: LineFrame['direction'], text: string];

const recorded = (...pieces: readonly Piece[]): readonly LineFrame[] =>
	pieces.map(([sinceStartUs, direction, text]) => ({ sinceStartUs, direction, bytes: Buffer.from(text, 'latin1') }));

const told = (format: SerialFormat, ...pieces: readonly Piece[]) =>
	shownStream(format, recorded(...pieces)).map(({ direction, check, text }) => [direction, check, text]);

test('a sentence in pieces is one frame, with the time of its first byte and the silence before it', (t) => {
	const shown = shownStream(
		NMEA,
		recorded([1_000, 'received', GGA.slice(0, 20)], [17_000, 'received', GGA.slice(20)], [1_001_000, 'received', GGA]),
	);
	t.is(shown.length, 2);
	t.like(shown[0], { sinceStartUs: 1_000, gapUs: null, check: 'ok', text: TEXT, unitId: null, facts: null });
	t.like(shown[1], { sinceStartUs: 1_001_000, gapUs: 984_000, check: 'ok' });
	t.is(shown[1]?.bytes.toString('latin1'), GGA);
});

test('a wrong checksum, bytes that make no frame and a frame that is not whole yet are told apart', (t) => {
	const damaged = GGA.replace('545.4', '945.4');
	t.deepEqual(told(NMEA, [0, 'received', `39,N*4F\r\n${damaged}${GGA}${GGA.slice(0, 9)}`]), [
		['received', 'bad', 'no frame: 39,N*4F\\x0d\\x0a'],
		['received', 'bad', `wrong checksum: ${damaged.replace('\r\n', '\\x0d\\x0a')}`],
		['received', 'ok', TEXT],
		['received', null, `not whole yet: ${GGA.slice(0, 9)}`],
	]);
});

test('a request ends what came before it, and frames without a checksum are not called right', (t) => {
	t.deepEqual(
		told(
			SCALE,
			[0, 'sent', 'SI\r\n'],
			[9_000, 'received', 'ST,GS,+  12.3'],
			[2_000_000, 'sent', 'SI\r\n'],
			[2_009_000, 'received', 'ST,GS,+  12.345kg\r\n'],
		),
		[
			['sent', null, 'SI\\x0d\\x0a'],
			['received', 'bad', 'no frame: ST,GS,+  12.3'],
			['sent', null, 'SI\\x0d\\x0a'],
			['received', null, 'ST,GS,+  12.345kg\\x0d\\x0a'],
		],
	);
});

test('frames that a silence ends are told apart by the silence of the recording', (t) => {
	const template = parseTemplate('acme-gap', {
		kind: 'serial',
		manufacturer: 'Acme',
		model: 'Gap',
		category: 'sensor',
		framing: { by: 'gap', gap_ms: 20, start: 'T', max: 16 },
		layout: { kind: 'csv' },
		points: [{ key: 'level', name: 'Level', column: 0 }],
	});
	t.not(template.serial, undefined);
	if (template.serial === undefined) return;
	const pieces: readonly Piece[] = [
		[0, 'received', 'T1'],
		[5_000, 'received', '2'],
		[100_000, 'received', 'T34'],
		[200_000, 'received', '???'],
	];
	t.deepEqual(told(template.serial, ...pieces), [
		['received', null, 'T12'],
		['received', null, 'T34'],
		['received', 'bad', 'no frame: ???'],
	]);
});

test('however a stream is cut into pieces, the same frames are shown, and no byte is left out', (t) => {
	const part = fc.constantFrom(GGA, GGA.replace('545', '999'), '\r\n$$', '\0\0', '$GP', nmeaSentence('GPXXX,1'));
	fc.assert(
		fc.property(fc.array(part, { maxLength: 12 }), fc.array(fc.nat({ max: 400 }), { maxLength: 20 }), (parts, cuts) => {
			const text = parts.join('');
			const places = [0, ...cuts.filter((cut) => cut < text.length).toSorted((a, b) => a - b), text.length];
			const pieces = places
				.slice(1)
				.map((end, index): Piece => [index * 1_000, 'received', text.slice(places[index], end)]);
			const shown = shownStream(NMEA, recorded(...pieces));
			t.is(Buffer.concat(shown.map(({ bytes }) => bytes)).toString('latin1'), text);
			t.deepEqual(
				shown.map((frame) => [frame.check, frame.text]),
				told(NMEA, [0, 'received', text]).map(([, check, said]) => [check, said]),
			);
			t.true(shown.every(({ sinceStartUs, gapUs }) => sinceStartUs >= 0 && (gapUs ?? 0) >= 0));
		}),
	);
});
