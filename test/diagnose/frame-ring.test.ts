import test from 'ava';

import { createFrameRing, MOST_RECORDING_MS, RING_BYTES } from '../../gateway/driver/frame-ring.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const HOUR_MS = 3_600_000;

test('nothing is kept before somebody asks for a recording', (t) => {
	const ring = createFrameRing(createManualClock());
	ring.push('sent', Buffer.from('01', 'hex'));
	t.deepEqual(ring.frames(), []);
	t.is(ring.recording(), null);
});

test('a recording ends by itself, is kept for an hour and then forgotten', (t) => {
	const clock = createManualClock(1_000_000);
	const ring = createFrameRing(clock);
	ring.record(10_000);
	clock.advance(2.5);
	ring.push('sent', Buffer.from('0103', 'hex'));
	t.deepEqual(ring.frames(), [{ direction: 'sent', sinceStartUs: 2500, bytes: Buffer.from('0103', 'hex') }]);
	clock.advance(10_000);
	ring.push('received', Buffer.from('01', 'hex'));
	t.is(ring.frames().length, 1);
	t.like(ring.recording(), { startedAt: 1_000_000, until: 1_010_000, isRunning: false, dropped: 0 });
	clock.advance(HOUR_MS);
	t.deepEqual(ring.frames(), []);
	t.is(ring.recording(), null);
});

test('no recording is longer than 15 minutes', (t) => {
	const clock = createManualClock(0);
	const ring = createFrameRing(clock);
	ring.record(24 * HOUR_MS);
	t.is(Number(ring.recording()?.until), MOST_RECORDING_MS);
});

test('a recording that waits for a fault keeps what was before it, ends after it, and is there a week later', (t) => {
	const clock = createManualClock(0);
	const ring = createFrameRing(clock);
	ring.watch(3 * 24 * HOUR_MS);
	clock.advance(24 * HOUR_MS);
	ring.push('sent', Buffer.from('01', 'hex'));
	ring.fault('meter: no answer');
	clock.advance(4_000);
	ring.fault('another: no answer');
	ring.push('sent', Buffer.from('02', 'hex'));
	clock.advance(1_000);
	ring.push('sent', Buffer.from('03', 'hex'));
	const ended = { isRunning: false, untilFault: true, fault: { at: 24 * HOUR_MS, reason: 'meter: no answer' } };
	t.like(ring.recording(), ended);
	t.deepEqual(
		ring.frames().map(({ bytes }) => bytes.toString('hex')),
		['01', '02'],
	);
	clock.advance(6 * 24 * HOUR_MS);
	t.is(ring.frames().length, 2);
	clock.advance(25 * HOUR_MS);
	t.is(ring.recording(), null);
});

test('a fault ends no recording that does not wait for one, and is none when nothing is recorded', (t) => {
	const clock = createManualClock(0);
	const ring = createFrameRing(clock);
	ring.fault('meter: no answer');
	t.is(ring.recording(), null);
	ring.record(60_000);
	ring.fault('meter: no answer');
	clock.advance(10_000);
	t.like(ring.recording(), { isRunning: true, fault: null });
});

test('a recording that is ended early is kept; one of no time forgets', (t) => {
	const ring = createFrameRing(createManualClock());
	ring.record(10_000);
	ring.push('sent', Buffer.from('01', 'hex'));
	ring.end();
	ring.push('sent', Buffer.from('02', 'hex'));
	t.is(ring.frames().length, 1);
	ring.record(0);
	t.deepEqual(ring.frames(), []);
});

test('a line that never stops talking takes no more than its share of memory, and the newest frames stay', (t) => {
	const ring = createFrameRing(createManualClock());
	ring.record(MOST_RECORDING_MS);
	for (let i = 0; i < 20_000; i += 1) {
		const bytes = Buffer.alloc(100);
		bytes.writeUInt32BE(i);
		ring.push('received', bytes);
	}
	const frames = ring.frames();
	t.is(frames.at(-1)?.bytes.readUInt32BE(), 19_999);
	t.is(frames.length + (ring.recording()?.dropped ?? 0), 20_000);
	t.true((ring.recording()?.bytes ?? Infinity) <= RING_BYTES);
	t.is(frames[0]?.bytes.readUInt32BE(), 20_000 - frames.length);
});

test('what is pushed may be used again by its owner', (t) => {
	const ring = createFrameRing(createManualClock());
	ring.record(1000);
	const bytes = Buffer.from('0a', 'hex');
	ring.push('sent', bytes);
	bytes[0] = 0xff;
	t.is(ring.frames()[0]?.bytes[0], 0x0a);
});
