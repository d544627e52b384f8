import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { systemClock } from '../core/kernel/clock.ts';
import { messageOf } from '../core/kernel/fault.ts';
import { DEFAULT_PORTS } from './demo-settings.ts';
import { type Demo, type Role, startDemo } from './demo.ts';
import { type Observation, statusLine } from './status-line.ts';

/** From `dist/demo/main.js` to the command line in the checkout. */
const COMMAND = fileURLToPath(new URL('../../bin/drawbridge.js', import.meta.url));
/** `npm start -- --data DIR`; the folder `data` of the checkout unless told. */
const { values: given } = parseArgs({ options: { data: { type: 'string' } } });
const DATA_FOLDER = given.data ?? fileURLToPath(new URL('../../data', import.meta.url));
const CTRL_C = '\u0003';
/** Time between two lines: on a terminal the line is written over, elsewhere it is added. */
const TERMINAL_PERIOD_MS = 1000;
const PIPE_PERIOD_MS = 5000;
const PARENT_PERIOD_MS = 300;

const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
const say = (line: string): void => console.log(line);

/** The first administrators for unattended use are the only settings of the caller that the demo hands on. */
const handedOn = Object.fromEntries(
	['DRAWBRIDGE_ADMIN_EMAIL', 'DRAWBRIDGE_ADMIN_PASSWORD'].flatMap((name) => {
		const value = process.env[name];
		return value === undefined ? [] : [[name, value]];
	}),
);

/** Two names of loopback: cookies know no ports, so two logins under one name would end each other in a browser. */
const HOST: Readonly<Record<Role, string>> = { gateway: '127.0.0.1', hub: 'localhost' };

function introduce(demo: Demo): void {
	const page = (role: Role, port: number): string => {
		const code = demo.claimCode(role);
		return `  ${role.padEnd(8)} http://${HOST[role]}:${port}/   ${code === null ? '(claimed)' : `claim code ${code}`}`;
	};
	say('');
	say(page('gateway', demo.ports.gatewayHttp));
	say(page('hub', demo.ports.hubHttp));
	say(`  mqtt     127.0.0.1:${demo.ports.mqtt}`);
	say('');
	say(isTerminal ? '  l cuts or restores the link, b makes it a black hole, q stops' : '  SIGTERM or Ctrl-C stops');
	say('');
}

/** A key that names a mode switches it on, and off again when it is on. */
function toggle(demo: Demo, kind: 'cut' | 'black-hole'): void {
	demo.link.setMode({ kind: demo.link.mode().kind === kind ? 'pass' : kind });
}

function listenToKeys(demo: Demo, quit: () => void): void {
	const actions: Readonly<Record<string, () => void>> = {
		l: () => toggle(demo, 'cut'),
		b: () => toggle(demo, 'black-hole'),
		q: quit,
		[CTRL_C]: quit,
	};
	process.stdin.setRawMode(true);
	process.stdin.setEncoding('utf8');
	process.stdin.on('data', (keys: string) => {
		for (const key of keys) actions[key]?.();
	});
}

/** Shows a line per period until the signal comes. */
function showStatus(demo: Demo, signal: AbortSignal): void {
	let before: Observation | null = null;
	const show = async (): Promise<void> => {
		const now = await demo.observe();
		if (signal.aborted) return;
		const line = before === null ? null : statusLine(before, now, demo.link.mode());
		before = now;
		if (line === null) return;
		if (isTerminal) process.stdout.write(`\r\u001b[K  ${line}`);
		else say(line);
	};
	const timer = setInterval(() => void show(), isTerminal ? TERMINAL_PERIOD_MS : PIPE_PERIOD_MS);
	signal.addEventListener('abort', () => clearInterval(timer));
	void show();
}

/** Runs until a person or a signal stops it (true) or one of the programs ends by itself (false). */
async function run(stopping: AbortController): Promise<boolean> {
	const demo = await startDemo({
		dataFolder: DATA_FOLDER,
		wantedPorts: DEFAULT_PORTS,
		hull: (role, settingsFile, dataFolder) => [
			'--max-semi-space-size=4',
			COMMAND,
			role,
			'--config',
			settingsFile,
			'--data',
			dataFolder,
		],
		env: handedOn,
		clock: systemClock,
		signal: stopping.signal,
		say,
	});
	const shown = new AbortController();
	const stopped = new Promise<null>((resolve) => {
		stopping.signal.addEventListener('abort', () => resolve(null));
	});
	introduce(demo);
	showStatus(demo, shown.signal);
	if (isTerminal) listenToKeys(demo, () => stopping.abort());
	const mishap = await Promise.race([stopped, demo.broken]);
	shown.abort();
	if (isTerminal) process.stdin.setRawMode(false);
	say(mishap === null ? '\nstopping' : `\n${mishap}`);
	await demo.stop();
	return mishap === null;
}

/** npm starts scripts through a shell that does not hand signals on: when that shell is gone, someone has stopped npm. */
function watchParent(stop: () => void): void {
	if (process.env['npm_lifecycle_event'] === undefined) return;
	const parent = process.ppid;
	setInterval(() => {
		if (process.ppid !== parent) stop();
	}, PARENT_PERIOD_MS).unref();
}

const stopping = new AbortController();
watchParent(() => stopping.abort());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
try {
	process.exit((await run(stopping)) ? 0 : 1);
} catch (error) {
	if (stopping.signal.aborted) process.exit(0);
	console.error(messageOf(error));
	process.exit(1);
}
