import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

/** The account that may nothing. */
const NOBODY = 65_534;
const ROOT = 0;
const DIALOUT = 20;

/** Asks in a process of its own why this file cannot be opened; as nobody, when this one may open everything. */
const ASK = `
const [module, device, groups] = process.argv.slice(-3);
const { portRefusal } = await import(module);
const found = { path: '/dev/ttyUSB0', device, file: '' };
const folders = { dev: '/dev', sys: '/sys', proc: '/proc', groups };
const { reason, message } = await portRefusal(found, new Error('Error: cannot open'), folders);
process.stdout.write(JSON.stringify({ reason, message }));
`;

test('a port whose group the account lacks is refused with the name of the group', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'no-port-'));
	t.teardown(() => rm(folder, { recursive: true }));
	const [device, groups] = [join(folder, 'ttyUSB0'), join(folder, 'group')];
	await writeFile(device, '');
	const isRoot = process.getuid?.() === ROOT;
	const gid = isRoot ? DIALOUT : (process.getgid?.() ?? DIALOUT);
	await writeFile(groups, `root:x:0:\ndialout:x:${gid}:\n`);
	await chmod(folder, 0o755);
	await chmod(groups, 0o644);
	await chmod(device, isRoot ? 0o660 : 0);
	if (isRoot) await chown(device, ROOT, DIALOUT);
	const module = new URL('../../gateway/driver/port/port-refusal.js', import.meta.url).href;
	const child = spawn(process.execPath, ['--input-type=module', '-e', ASK, module, device, groups], {
		cwd: '/',
		stdio: ['ignore', 'pipe', 'inherit'],
		...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
	});
	const exited = once(child, 'exit');
	let told = '';
	for await (const chunk of child.stdout) told += String(chunk);
	await exited;
	t.deepEqual(JSON.parse(told), {
		reason: 'forbidden',
		message:
			"/dev/ttyUSB0 may not be opened: it belongs to the group dialout, and the gateway's account is not in it (EACCES)",
	});
});
