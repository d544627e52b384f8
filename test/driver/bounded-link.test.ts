import test from 'ava';
import type { Line } from '../../config/connection/connection.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { createBoundedLink } from '../../gateway/driver/modbus/wire/bounded-link.ts';
import type { ByteLinkListener } from '../../gateway/driver/modbus/wire/byte-link.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import { startFrameServer } from '../fake/device-server.ts';
import { ascii, type Framing, rtu } from '../fake/framings.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { createManualClock } from '../fake/manual-clock.ts';

/** A link that is told what comes, and by hand when. @param rateBytesPerS of the line behind it */
async function openLink(rateBytesPerS: number) {
	const clock = createManualClock();
	const lost: string[] = [];
	const wire: { listener: ByteLinkListener | null; closes: number } = { listener: null, closes: 0 };
	let heardBytes = 0;
	const link = createBoundedLink({
		link: {
			open(listener) {
				wire.listener = listener;
				return Promise.resolve();
			},
			write: () => undefined,
			close() {
				wire.closes += 1;
				return Promise.resolve();
			},
		},
		place: '10.0.0.5:4001',
		expected: 'Modbus RTU',
		rateBytesPerS,
		clock,
	});
	await link.open({
		bytes: (chunk) => void (heardBytes += chunk.length),
		lost: (reason) => void lost.push(reason),
	});
	return {
		clock,
		link,
		lost,
		wire,
		say: (count: number) => wire.listener?.bytes(Buffer.alloc(count)),
		heardBytes: () => heardBytes,
	};
}

test('a line that is never silent is heard for as long as a serial line can carry it', async (t) => {
	for (const rate of [960, 400_000]) {
		const { clock, lost, say, heardBytes } = await openLink(rate);
		const perSecond = Math.max(rate, 0x1_0000);
		for (let second = 0; second < 60; second += 1) {
			say(perSecond);
			clock.advance(1000);
		}
		t.deepEqual(lost, []);
		t.is(heardBytes(), 60 * perSecond);
	}
});

test('answers to requests may come faster than any line carries them', async (t) => {
	const { link, lost, say } = await openLink(960);
	for (let index = 0; index < 2000; index += 1) {
		link.write(Buffer.alloc(8));
		say(513);
	}
	t.deepEqual(lost, []);
});

test('a flood ends the link once, and nothing more of it is heard', async (t) => {
	const { lost, wire, say, heardBytes } = await openLink(960);
	for (let index = 0; index < 100; index += 1) say(8192);
	wire.listener?.lost('the socket closed');
	t.deepEqual(lost, ['10.0.0.5:4001 sent bytes that are not Modbus RTU, more than a serial line carries']);
	t.is(heardBytes(), 4 * 0x1_0000);
	t.is(wire.closes, 1);
});

const FLOODS: readonly (readonly [Extract<Line['transport'], `${string}-over-tcp`>, Framing, string])[] = [
	['rtu-over-tcp', rtu, 'Modbus RTU'],
	['ascii-over-tcp', ascii, 'Modbus ASCII'],
];

for (const [transport, framing, expected] of FLOODS) {
	test(`a converter that floods a line of ${transport} loses its connection`, async (t) => {
		const noise = Buffer.alloc(0x1_0000, 0x55);
		const server = await startFrameServer(framing, (socket) => {
			const flood = (): void => {
				if (!socket.destroyed) socket.write(noise, () => setImmediate(flood));
			};
			flood();
			return () => undefined;
		});
		t.teardown(() => server.stop());
		const meter = createLineMeter(systemClock);
		const connect = createModbusLine(systemClock, portsOf());
		const line = connect({ transport, host: '127.0.0.1', port: server.port }, meter);
		const reason = await new Promise<string | null>((resolve) => {
			void line.open(new AbortController().signal, resolve);
		});
		t.is(reason, `127.0.0.1:${server.port} sent bytes that are not ${expected}, more than a serial line carries`);
		await t.throwsAsync(line.transact({ unitId: 1, functionCode: 3, address: 0, count: 1, timeoutMs: 10_000 }), {
			message: reason ?? '',
		});
		await line.close();
	});
}
