import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { type DemoOptions, startDemo } from '../../demo/demo.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { isRunning } from './is-running.ts';

/**
 * A hull reduced to what the demo sees of it: codes in files, metrics over HTTP, a ready line, an end on SIGTERM. It writes
 * its environment and its pid into its data folder.
 */
const STUB = `
const fs = require('node:fs'), http = require('node:http');
const [role, settingsFile, dataFolder] = process.argv.slice(1);
const { parse } = require('yaml');
const settings = parse(fs.readFileSync(settingsFile, 'utf8'));
const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('DRAWBRIDGE_')));
fs.writeFileSync(dataFolder + '/seen.json', JSON.stringify({ own, settings, pid: process.pid }));
process.once('SIGTERM', () => { fs.writeFileSync(dataFolder + '/stopped', ''); process.exit(0); });
fs.writeFileSync(dataFolder + '/claim-code', role + '-code\\n', { mode: 0o600 });
if (role === 'hub') fs.writeFileSync(dataFolder + '/enrolment-code', 'enrol-me\\n', { mode: 0o600 });
http.createServer((request, response) => response.end('drawbridge_samples_accepted_total 5\\n'))
	.listen(settings.http.port, '127.0.0.1', () => console.log(JSON.stringify({ event: 'ready', http_port: settings.http.port })));
`;

const stubHull: DemoOptions['hull'] = (role, settingsFile, dataFolder) => ['-e', STUB, role, settingsFile, dataFolder];

function optionsFor(t: ExecutionContext, more: Partial<DemoOptions> = {}): DemoOptions {
	const dataFolder = mkdtempSync(join(tmpdir(), 'drawbridge-demo-'));
	t.teardown(() => rmSync(dataFolder, { recursive: true, force: true }));
	return {
		dataFolder,
		// None that the kernel gives to somebody else between the search and the start.
		wantedPorts: { gatewayHttp: 11_000, mqtt: 11_200, hubHttp: 11_400, link: 11_600, simulator: 11_800 },
		hull: stubHull,
		env: {},
		clock: systemClock,
		signal: new AbortController().signal,
		say: (line) => t.log(line),
		...more,
	};
}

interface Seen {
	readonly own: Readonly<Record<string, string>>;
	readonly settings: { readonly devices: readonly { readonly uid: string }[] };
	readonly pid: number;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the stub above wrote it
const seenBy = (dataFolder: string) => JSON.parse(readFileSync(join(dataFolder, 'seen.json'), 'utf8')) as Seen;

test.serial(
	'the demo starts all parts, tells the gateway how to enrol over the wire, and leaves nothing running',
	async (t) => {
		const options = optionsFor(t);
		const demo = await startDemo(options);
		t.teardown(() => demo.stop());
		const gateway = seenBy(join(options.dataFolder, 'gateway'));
		t.deepEqual(gateway.own, {
			DRAWBRIDGE_UPLINK_HUB_URL: `http://127.0.0.1:${demo.ports.hubHttp}`,
			DRAWBRIDGE_UPLINK_LINK_HOST: '127.0.0.1',
			DRAWBRIDGE_UPLINK_LINK_PORT: String(demo.link.port),
			DRAWBRIDGE_UPLINK_ENROLMENT_CODE: 'enrol-me',
		});
		t.true(gateway.settings.devices.some(({ uid }) => uid === 'meter-tcp-3' || uid.endsWith('-3')));
		t.is(demo.claimCode('gateway'), 'gateway-code');
		t.is(demo.claimCode('hub'), 'hub-code');
		t.is((await demo.observe()).hub?.get('drawbridge_samples_accepted_total'), 5);
		await demo.stop();
		const pids = [gateway.pid, seenBy(join(options.dataFolder, 'hub')).pid];
		t.deepEqual(pids.filter(isRunning), []);
		for (const role of ['gateway', 'hub']) t.true(existsSync(join(options.dataFolder, role, 'stopped')), role);
	},
);

test.serial('a program that ends by itself breaks the demo with its last words', async (t) => {
	const options = optionsFor(t);
	const demo = await startDemo(options);
	t.teardown(() => demo.stop());
	process.kill(seenBy(join(options.dataFolder, 'hub')).pid, 'SIGKILL');
	t.regex(await demo.broken, /^hub ended \(SIGKILL\)/);
});

test.serial('a hull that does not come up ends the start with its own words and stops the rest', async (t) => {
	const options = optionsFor(t, {
		hull: (role, ...rest) =>
			role === 'hub' ? stubHull(role, ...rest) : ['-e', 'console.error("http.port: taken"); process.exit(78)'],
	});
	await t.throwsAsync(startDemo(options), { message: /gateway ended \(78\)[^]*http\.port: taken/ });
	t.false(isRunning(seenBy(join(options.dataFolder, 'hub')).pid));
});

test.serial('a demo that is told to stop while it starts leaves nothing running', async (t) => {
	const stopping = new AbortController();
	const silentHull = `require('node:fs').writeFileSync(process.argv[1], String(process.pid)); setInterval(() => {}, 1000)`;
	const pidFile = join(mkdtempSync(join(tmpdir(), 'drawbridge-pid-')), 'pid');
	writeFileSync(pidFile, '');
	t.teardown(() => rmSync(join(pidFile, '..'), { recursive: true, force: true }));
	const options = optionsFor(t, { signal: stopping.signal, hull: () => ['-e', silentHull, pidFile] });
	const start = startDemo(options);
	const failure = t.throwsAsync(start);
	const pid = await waitFor('the hub runs', 45_000, () => Number(readFileSync(pidFile, 'utf8')) || null);
	stopping.abort();
	await failure;
	t.false(isRunning(pid));
});
