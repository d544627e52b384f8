import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import test from 'ava';

interface Staleness {
	readonly isNodeNewEnough: (version: string) => boolean;
	readonly installReason: (wanted: string, installed: string | null) => string | null;
	readonly orphans: (outputs: readonly string[], sources: ReadonlySet<string>) => string[];
	readonly isLockStale: (text: string, ageMs: number, isAlive: (pid: number) => boolean) => boolean;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- plain JavaScript, which runs before any compiler is installed
const { isNodeNewEnough, installReason, orphans, isLockStale } = (await import(
	pathToFileURL(join(process.cwd(), 'tool', 'staleness.mjs')).href
)) as Staleness;

for (const [version, isEnough] of [
	['18.20.8', false],
	['20.18.3', false],
	['20.19.0', true],
	['22.0.0', true],
	['24.1.0', true],
] as const) {
	test(`Node ${version} is ${isEnough ? 'new enough' : 'too old'}`, (t) => {
		t.is(isNodeNewEnough(version), isEnough);
	});
}

const lock = (packages: Readonly<Record<string, object>>): string => JSON.stringify({ packages });
const wanted = lock({
	'': { version: '0.1.0' },
	'node_modules/a': { version: '1.0.0' },
	'node_modules/b-darwin': { version: '2.0.0', optional: true },
});

const installations = [
	{ title: 'no node_modules', installed: null, reason: /node_modules is missing/ },
	{ title: 'the packages of the lock file', installed: lock({ 'node_modules/a': { version: '1.0.0' } }), reason: null },
	{
		title: 'an older package',
		installed: lock({ 'node_modules/a': { version: '0.9.0' } }),
		reason: /0\.9\.0, not 1\.0\.0/,
	},
	{ title: 'a missing package', installed: lock({}), reason: /node_modules\/a is missing/ },
	{
		title: 'a package too many',
		installed: lock({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/z': { version: '1.0.0' } }),
		reason: /node_modules\/z is no longer wanted/,
	},
	{ title: 'a torn record of the installation', installed: '{"packages":', reason: /not readable/ },
] as const;

for (const { title, installed, reason } of installations) {
	test(`${title} ${reason === null ? 'need no installation' : 'means installing'}`, (t) => {
		const found = installReason(wanted, installed);
		if (reason === null) t.is(found, null);
		else t.regex(found ?? '', reason);
	});
}

test('outputs whose source is gone are found, those of others are left alone', (t) => {
	const outputs = [
		'core/a.js',
		'core/a.js.map',
		'core/a.d.ts',
		'core/b.js',
		'core.tsbuildinfo',
		'web/gone.js',
		'web.stamp',
	];
	t.deepEqual(orphans(outputs, new Set(['core/b.ts'])), ['core/a.js', 'core/a.js.map', 'core/a.d.ts']);
});

const locks = [
	{ title: 'of a running process', text: '12', ageMs: 60_000, alive: true, stale: false },
	{ title: 'of a process that is gone', text: '12', ageMs: 10, alive: false, stale: true },
	{ title: 'that is just being written', text: '', ageMs: 100, alive: false, stale: false },
	{ title: 'without a process', text: 'x', ageMs: 60_000, alive: true, stale: true },
	{ title: 'older than any preparation', text: '12', ageMs: 3_600_000, alive: true, stale: true },
] as const;

for (const { title, text, ageMs, alive, stale } of locks) {
	test(`a lock ${title} is ${stale ? 'stale' : 'respected'}`, (t) => {
		t.is(
			isLockStale(text, ageMs, () => alive),
			stale,
		);
	});
}
