import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import test, { type ExecutionContext } from 'ava';

import { parseSimulateOptions } from '../../gateway/simulator/simulate-options.ts';
import { connectTo } from '../fake/raw-client.ts';

const COMMAND = join(process.cwd(), 'bin', 'gatewayctl.js');

function run(...args: readonly string[]) {
	const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], {
		encoding: 'utf8',
		timeout: 120_000,
	});
	return { status, stdout, stderr };
}

function folder(t: ExecutionContext): string {
	const path = mkdtempSync(join(tmpdir(), 'simulate-'));
	t.teardown(() => rmSync(path, { recursive: true, force: true }));
	return path;
}

for (const { args, code, message } of [
	{ args: [], code: 64, message: /command is missing[^]*simulate/ },
	{ args: ['explode'], code: 64, message: /unknown command "explode"/ },
	{ args: ['simulate'], code: 64, message: /nothing to play[^]*usage/ },
	{ args: ['simulate', '--what'], code: 64, message: /--what/ },
	{ args: ['simulate', '--template', 'eastron-sdm630', '--tcp', '70000'], code: 64, message: /--tcp must be/ },
	{ args: ['simulate', '--template', 'eastron-sdm630:1,300'], code: 64, message: /unit must be/ },
	{ args: ['simulate', '--template', 'no-such'], code: 78, message: /no sound template no-such[^]*eastron-sdm630/ },
	{ args: ['simulate', '--template', 'eastron-sdm630', '--scenario', '/no/file'], code: 66, message: /ENOENT/ },
	{ args: ['simulate', '--template', 'eastron-sdm630', '--rtu', '/no/port'], code: 69, message: /\/no\/port/ },
	{
		args: ['simulate', '--template', 'eastron-sdm630:1', '--template', 'eastron-sdm630', '--tcp', '0'],
		code: 78,
		message: /unit 1 is given twice/,
	},
] as const) {
	test(`"gatewayctl ${args.join(' ')}" ends with ${code} and a reason`, (t) => {
		const { status, stdout, stderr } = run(...args);
		t.is(status, code, stderr);
		t.regex(stderr, message);
		t.is(stdout, '');
	});
}

test('a template of a folder may extend one of the product', (t) => {
	const path = folder(t);
	writeFileSync(join(path, 'my-meter.json'), JSON.stringify({ extends: 'eastron-sdm630', points: [] }));
	const played = run('simulate', '--template', 'my-meter', '--templates', path, '--rtu', '/no/port');
	t.is(played.status, 69, 'it gets as far as the port');
	t.regex(played.stderr, /\/no\/port/);
});

test('a mistake in a scenario ends with 78 and its place; one that cannot be played says why', (t) => {
	const file = join(folder(t), 'scenario.yaml');
	writeFileSync(file, '- do: { fault: late }\n');
	const refused = run('simulate', '--template', 'eastron-sdm630', '--tcp', '0', '--scenario', file);
	t.is(refused.status, 78);
	t.regex(refused.stderr, /scenario\.yaml:\n\[0\]\.do\.delay_ms/);
	writeFileSync(file, '- do: { fault: wrong-transaction }\n');
	const unfit = run('simulate', '--template', 'eastron-sdm630', '--rtu-over-tcp', '0', '--scenario', file);
	t.is(unfit.status, 78);
	t.regex(unfit.stderr, /wrong-transaction is for Modbus TCP/);
});

test('a port that is taken ends with 69', async (t) => {
	const taken = createServer().listen(0, '127.0.0.1');
	await once(taken, 'listening');
	t.teardown(() => taken.close());
	const address = taken.address();
	const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
	const { status, stderr } = run('simulate', '--template', 'eastron-sdm630', '--tcp', String(port));
	t.is(status, 69);
	t.regex(stderr, /EADDRINUSE/);
});

test('help is answered on standard output', (t) => {
	t.regex(run('--help').stdout, /simulate/);
	t.regex(run('simulate', '--help').stdout, /--scenario FILE/);
	t.regex(run('--version').stdout, /^\d+\.\d+\.\d+/);
});

async function play(t: ExecutionContext, ...args: readonly string[]) {
	const child = spawn(process.execPath, [COMMAND, 'simulate', ...args, '--json'], {
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	const [first] = (await once(createInterface({ input: child.stdout }), 'line')) as readonly string[];
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the line is ours
	const ready = JSON.parse(first ?? '') as {
		readonly lines: readonly { readonly line: string; readonly port: number }[];
	};
	return { child, lines: ready.lines };
}

test('a template is played on all kinds of lines with the faults of a scenario, and ends with 0 on a signal', async (t) => {
	const file = join(folder(t), 'scenario.yaml');
	writeFileSync(file, '- when: { unit: 2 }\n  do: { fault: exception, code: 6 }\n');
	const { child, lines } = await play(
		t,
		...'--template eastron-sdm630:1,2 --tcp 0 --rtu-over-tcp 0 --ascii-over-tcp 0 --scenario'.split(' '),
		file,
	);
	t.deepEqual(
		lines.map(({ line }) => line.split(' ')[0]),
		['tcp', 'rtu-over-tcp', 'ascii-over-tcp'],
	);
	const asks = [
		{ request: Buffer.from('000100000006010400000002', 'hex'), reply: /^0001000000070104044[36]/ },
		{ request: Buffer.from('01040000000271cb', 'hex'), reply: /^01040443/ },
		{ request: Buffer.from(':010400000002F9\r\n'), reply: /^3a30313034303434/ },
	];
	for (const [index, { request, reply }] of asks.entries()) {
		const client = await connectTo(t, lines[index]?.port ?? 0);
		t.regex((await client.ask(request)).toString('hex'), reply, lines[index]?.line);
	}
	const client = await connectTo(t, lines[0]?.port ?? 0);
	t.is((await client.ask(Buffer.from('000200000006020400000002', 'hex'))).toString('hex'), '000200000003028406');
	const ended = once(child, 'exit');
	child.kill('SIGTERM');
	t.deepEqual(await ended, [0, null]);
});

test('answers that are paced take the time of their characters behind a serial server too, and over Modbus TCP none', async (t) => {
	const { child, lines } = await play(
		t,
		...'--template eastron-sdm630 --tcp 0 --rtu-over-tcp 0 --ascii-over-tcp 0 --paced --baud 600'.split(' '),
	);
	// 8 characters there, 9 back and 3.5 of silence, of 11 bits each; ASCII takes two characters a byte.
	const asks = [
		{ request: Buffer.from('000100000006010400000002', 'hex'), leastMs: 0 },
		{ request: Buffer.from('01040000000271cb', 'hex'), leastMs: 370 },
		{ request: Buffer.from(':010400000002F9\r\n'), leastMs: 705 },
	];
	for (const [index, { request, leastMs }] of asks.entries()) {
		const client = await connectTo(t, lines[index]?.port ?? 0);
		const startMs = performance.now();
		await client.ask(request);
		t.true(performance.now() - startMs >= leastMs, lines[index]?.line);
	}
	child.kill('SIGTERM');
});

test('a serial line is set as its devices are, e.g. 7E1 as ASCII comes from the factory', (t) => {
	const words = '--template a --ascii /dev/ttyS1 --baud 19200 --data-bits 7 --parity even --stop-bits 1'.split(' ');
	const settings = { path: '/dev/ttyS1', baudRate: 19_200, parity: 'even', dataBits: 7, stopBits: 1 } as const;
	t.deepEqual(parseSimulateOptions(words).places, [{ kind: 'serial', framing: 'ascii', settings }]);
	t.throws(() => parseSimulateOptions(['--template', 'a', '--data-bits', '9']), { message: /--data-bits is 7, 8/ });
});
