import { createServer, type Socket } from 'node:net';

import test, { type ExecutionContext } from 'ava';

import type { TcpSweep } from '../../gateway/scan/scan.ts';
import { listenOnLoopback } from '../../gateway/simulator/listen.ts';
import { startTcpSlave } from '../../gateway/simulator/modbus-tcp-slave.ts';
import { createSdm630Image } from '../../gateway/simulator/sdm630-image.ts';
import { box, namedMeter, slaveOf, tcp } from './field.ts';

/** Takes connections, and says nothing. */
async function muteServer(t: ExecutionContext): Promise<number> {
	const sockets = new Set<Socket>();
	const server = createServer((socket) => {
		sockets.add(socket);
		socket.on('error', () => socket.destroy());
		socket.resume();
	});
	const port = await listenOnLoopback(server, 0);
	t.teardown(async () => {
		for (const socket of sockets) socket.destroy();
		await new Promise((resolve) => {
			server.close(resolve);
		});
	});
	return port;
}

const networkOf = (port: number, changes: Partial<TcpSweep> = {}): TcpSweep => ({
	kind: 'tcp',
	subnets: ['127.0.0.0/30'],
	ports: [port],
	unitIds: null,
	timeoutMs: 10_000,
	...changes,
});

test('a sweep of a network finds a meter, names its template and says why', async (t) => {
	const slave = await startTcpSlave(slaveOf({ 1: namedMeter(1) }), 0);
	t.teardown(() => slave.stop());
	const { run } = await box(t);
	const { state, found, hints, progress } = await run(networkOf(slave.port));
	t.is(state, 'done');
	t.is(found.length, 1, JSON.stringify(hints));
	const [meter] = found;
	if (meter === undefined) throw new Error('nothing was found');
	t.like(meter, { line: tcp(slave.port), unitId: 1 });
	t.true(meter.identification.objects.some(({ name, text }) => name === 'vendor_name' && text === 'Eastron'));
	const [likeliest] = meter.candidates;
	t.is(likeliest?.template, 'eastron-sdm630', JSON.stringify(meter.candidates));
	t.true((likeliest?.confidence ?? 0) > 0.9);
	t.regex(likeliest?.why.join('; ') ?? '', /calls itself Eastron.*Frequency reads (49|50)/);
	t.is(progress.done, progress.total);
});

test('a sweep of a network says which hosts take connections and answer nothing', async (t) => {
	const port = await muteServer(t);
	const { run } = await box(t);
	const { state, found, hints } = await run(networkOf(port, { timeoutMs: 40 }));
	t.is(state, 'done');
	t.deepEqual(found, []);
	t.true(hints.some(({ code, sentence }) => code === 'mute-host' && sentence.includes(`127.0.0.1:${port}`)));
});

test('a gateway of serial units is told from a device, and its units are found by their ids', async (t) => {
	const slave = await startTcpSlave(slaveOf({ 17: createSdm630Image(3) }), 0);
	t.teardown(() => slave.stop());
	const { run } = await box(t);
	const blind = await run(networkOf(slave.port));
	t.true(blind.hints.some(({ code }) => code === 'gateway'));
	const { found } = await run(networkOf(slave.port, { unitIds: [16, 17, 18] }));
	t.deepEqual(
		found.map(({ unitId }) => unitId),
		[17],
	);
});

test('networks that are not of this box are refused with the rule', async (t) => {
	const { scans } = await box(t);
	const fault = await t.throwsAsync(scans.start(networkOf(502, { subnets: ['192.168.77.0/24'] }), 'a'));
	t.regex(fault?.message ?? '', /^subnets: 192\.168\.77\.0\/24 must lie in a private network/);
});
