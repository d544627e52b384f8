import { createServer } from 'node:net';

import test from 'ava';

import { gatewaySettings, meterSettings } from '../../demo/demo-settings.ts';
import { findPort, listeningInodes } from '../../demo/free-port.ts';
import { listenOnLoopback } from '../../gateway/simulator/listen.ts';
import { parseMetrics } from '../../demo/metrics.ts';
import { parseSimulatorOptions } from '../../gateway/simulator/simulator-options.ts';
import { statusLine } from '../../demo/status-line.ts';

const metrics = (samples: number, more = '') => parseMetrics(`drawbridge_samples_accepted_total ${samples}\n${more}`);

test('the text format of Prometheus is read, labels are added up, comments are left out', (t) => {
	const text = [
		'# HELP a_total What it counts',
		'# TYPE a_total counter',
		'a_total{line="x",unit="1"} 3',
		'a_total{line="y }"} 4.5',
		'b 1e3 1700000000000',
		'',
		'not a metric line at all',
	].join('\n');
	t.deepEqual(
		[...parseMetrics(text)],
		[
			['a_total', 7.5],
			['b', 1000],
		],
	);
});

const lines = [
	{
		title: 'rates, backlog and link',
		before: { atMs: 0, gateway: metrics(100), hub: metrics(50) },
		now: {
			atMs: 2000,
			gateway: metrics(300, 'drawbridge_uplink_backlog_samples 7\ndrawbridge_uplink_connected 1'),
			hub: metrics(150),
		},
		line: 'read 100 points/s · stored at hub 50/s · backlog 7 · link connected',
	},
	{
		title: 'dashes for what does not answer',
		before: { atMs: 0, gateway: metrics(100), hub: null },
		now: { atMs: 1000, gateway: null, hub: metrics(1) },
		line: 'read - points/s · stored at hub -/s · backlog - · link -',
	},
	{
		title: 'no negative rate after a restart',
		before: { atMs: 0, gateway: metrics(100), hub: metrics(100) },
		now: { atMs: 1000, gateway: metrics(5, 'drawbridge_uplink_connected 0'), hub: metrics(100) },
		line: 'read 0 points/s · stored at hub 0/s · backlog - · link down',
	},
] as const;

for (const { title, before, now, line } of lines) {
	test(`the status line shows ${title}`, (t) => {
		t.is(statusLine(before, now, { kind: 'pass' }), line);
	});
}

test('the status line tells which key restores a link that was cut', (t) => {
	const now = { atMs: 1000, gateway: metrics(1, 'drawbridge_uplink_connected 0'), hub: null };
	t.regex(statusLine(now, now, { kind: 'cut' }), /link down \(cut, press l to restore\)$/);
});

test('a port that is taken is passed over and its holder is named', async (t) => {
	const server = createServer();
	const port = await listenOnLoopback(server, 0);
	t.teardown(() => server.close());
	const found = await findPort(port, new Set([port + 1]));
	t.true(found.port > port + 1);
	t.is(found.takenBy === null, false);
	if (process.platform === 'linux') t.regex(found.takenBy ?? '', new RegExp(`pid ${process.pid}\\)`));
});

test('only listening sockets of the port count as its holders', (t) => {
	const table = [
		'  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
		'   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1',
		'   1: 0100007F:1F40 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1',
		'   2: 0100007F:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1',
	].join('\n');
	t.deepEqual(listeningInodes(table, 8000), ['4711']);
});

test('every simulated unit becomes a device with its own uid', (t) => {
	const devices = meterSettings([
		{ transport: 'tcp', port: 5020, path: null, unitIds: [1, 2] },
		{ transport: 'tcp', port: 5021, path: null, unitIds: [1] },
		{ transport: 'rtu', port: null, path: '/tmp/a', unitIds: [1] },
	]);
	t.deepEqual(
		devices.map(({ uid }) => uid),
		['meter-tcp-1', 'meter-tcp-2', 'meter-tcp5021-1', 'meter-serial-1'],
	);
	t.like(gatewaySettings({ gatewayHttp: 1, mqtt: 2 }, devices, { site: { name: 'x' } }), { site: { name: 'x' } });
});

for (const args of [
	[],
	['--tcp', '1502'],
	['--tcp', '70000:1'],
	['--tcp', '0:0'],
	['--tcp', '0:1', '--mode', 'other'],
	['--tcp', '0:1', '--points', '0'],
	['--what'],
]) {
	test(`the simulator refuses "${args.join(' ')}"`, (t) => {
		t.throws(() => parseSimulatorOptions(args), { message: /.+/ });
	});
}
