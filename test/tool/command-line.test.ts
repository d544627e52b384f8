import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

const COMMAND = join(process.cwd(), 'bin', 'drawbridge.js');
const EX_USAGE = 64;

function run(...args: readonly string[]) {
	const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], { encoding: 'utf8' });
	return { status, stdout, stderr };
}

const mistakes = [
	{ args: [], message: /role is missing/ },
	{ args: ['bridge'], message: /unknown role or option "bridge"/ },
	{ args: ['toString'], message: /unknown role/ },
	{ args: ['gateway', '--port', '1'], message: /unknown option "--port"/ },
	{ args: ['gateway', '--config'], message: /--config needs a FILE/ },
	{ args: ['hub', '--data', '--config'], message: /--data needs a DIR/ },
	{ args: ['hub', '--data', 'a', '--data', 'b'], message: /given twice/ },
	{ args: ['claim-code'], message: /claim-code needs --data DIR/ },
	{ args: ['claim-code', '--config', 'a'], message: /unknown option "--config"/ },
	{ args: ['hub', 'extra'], message: /unknown option "extra"/ },
] as const;

for (const { args, message } of mistakes) {
	test(`"drawbridge ${args.join(' ')}" is refused with ${EX_USAGE}, a reason and the usage`, (t) => {
		const { status, stdout, stderr } = run(...args);
		t.is(status, EX_USAGE);
		t.regex(stderr, message);
		t.regex(stderr, /usage: drawbridge/);
		t.is(stdout, '');
	});
}

test('help and version are answered on standard output', (t) => {
	const { status, stdout } = run('--version');
	t.is(status, 0);
	t.regex(readFileSync(join(process.cwd(), 'package.json'), 'utf8'), new RegExp(`"version": "${stdout.trim()}"`));
	t.regex(run('--help').stdout, /gateway\|hub/);
	t.regex(run('gateway', '--help').stdout, /--data DIR/);
});

test('started by its own name, a hull has at least eight threads for disk and passwords', (t) => {
	const [first = ''] = readFileSync(COMMAND, 'utf8').split('\n');
	const [, assignment = ''] = /^#!\/usr\/bin\/env -S (\S+) node /.exec(first) ?? [];
	t.true(Number(/^UV_THREADPOOL_SIZE=(\d+)$/.exec(assignment)?.[1]) >= 8, first);
	const { status } = spawnSync(COMMAND, ['--version'], { encoding: 'utf8' });
	t.is(status, 0);
});

test('a claim code is made for a data folder that is one, and shown once', (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-claim-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	const refused = run('claim-code', '--data', folder);
	t.is(refused.status, 66);
	t.regex(refused.stderr, /is no data folder of a gateway or hub/);
	writeFileSync(join(folder, 'settings.json'), '{}');
	const { status, stdout } = run('claim-code', '--data', folder);
	t.is(status, 0);
	t.regex(stdout, /^([0-9A-Z]{4}-){4}[0-9A-Z]{4}\n$/);
	const path = join(folder, 'claim-code-reset');
	t.is(statSync(path).mode & 0o777, 0o600);
	t.false(readFileSync(path, 'utf8').includes(stdout.slice(0, 9)), 'the file does not tell the code');
});
