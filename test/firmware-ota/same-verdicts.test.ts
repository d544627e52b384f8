import test from 'ava';
import fc from 'fast-check';

import { bothClients, type Clients } from './both-clients.ts';
import { type HostileRepository, newTestKey } from './hostile-repository.ts';

type RoleName = 'root' | 'targets' | 'snapshot' | 'timestamp';
type Step = (repository: HostileRepository, past: readonly ReadonlyMap<string, Buffer>[], number: number) => void;

const role = (number: number): Exclude<RoleName, 'root'> =>
	(['targets', 'snapshot', 'timestamp'] as const)[number % 3] ?? 'timestamp';

/** Current files by their names. */
function currentNames({ world }: HostileRepository): readonly string[] {
	const { targets, snapshot } = world;
	return ['timestamp.json', `${snapshot.version}.snapshot.json`, `${targets.version}.targets.json`];
}

function rotateRoot(repository: HostileRepository, whose: 'both' | 'old' | 'new'): void {
	const { world } = repository;
	const before = world.root.keys;
	world.root.keys = [newTestKey(), newTestKey()];
	world.root.version += 1;
	const signers = { both: [...before, ...world.root.keys], old: before, new: world.root.keys };
	repository.publishRoot(signers[whose]);
	if (whose === 'both') return;
	// Nobody follows; the honest repository goes on where it was.
	world.root.keys = before;
	world.root.version -= 1;
}

/** What honest and hostile repositories do. */
const STEPS: Readonly<Record<string, Step>> = {
	honest: (repository) => repository.next(),
	'nothing new': () => undefined,
	'an old timestamp': (repository, past, number) => {
		const old = past[number % past.length];
		if (old?.has('metadata/timestamp.json') === true) repository.replay(old, ['timestamp.json']);
	},
	'everything old': (repository, past, number) => {
		for (const [name, bytes] of past[number % past.length] ?? []) repository.files.set(name, bytes);
	},
	'a strange key': (repository, _past, number) => {
		const keys = repository.world[role(number)];
		const honest = keys.keys;
		keys.keys = [newTestKey()];
		repository.next();
		keys.keys = honest;
	},
	'the key of another role': (repository, _past, number) => {
		const { world } = repository;
		const keys = world[role(number)];
		const honest = keys.keys;
		keys.keys = world[role(number + 1)].keys;
		repository.next();
		keys.keys = honest;
	},
	expired: (repository, _past, number) => {
		const { [role(number)]: one } = repository.world;
		const { days } = one;
		one.days = -1;
		repository.next();
		one.days = days;
	},
	// Never a snapshot under a version that it had: tuf-js would use the one it has, and not look at the other.
	'an older version under a new one': ({ world, publish }, _past, number) => {
		const one = world[number % 2 === 0 ? 'targets' : 'timestamp'];
		const { version } = one;
		world.timestamp.version += 1;
		world.snapshot.version += 1;
		one.version = Math.max(1, version - 1);
		publish();
		one.version = version;
	},
	'a missing file': (repository, _past, number) => {
		repository.next();
		repository.files.delete(`metadata/${currentNames(repository)[number % 3] ?? ''}`);
	},
	'a changed digit': (repository, _past, number) => {
		repository.next();
		const name = `metadata/${currentNames(repository)[number % 3] ?? ''}`;
		const text = repository.files.get(name)?.toString() ?? '';
		const digits = [...text.slice(0, text.indexOf('"signatures"')).matchAll(/[0-8]/g)].map(({ index }) => index);
		const at = digits[number % digits.length] ?? 0;
		repository.put(name, `${text.slice(0, at)}${Number(text[at]) + 1}${text.slice(at + 1)}`);
	},
	'another file of the past': (repository, past, number) => {
		const old = past[number % past.length];
		repository.next();
		const [, , name = ''] = currentNames(repository);
		const bytes = old?.get('metadata/1.targets.json');
		if (bytes !== undefined) repository.files.set(`metadata/${name}`, bytes);
	},
	'online keys taken back': (repository) => {
		const { world } = repository;
		world.snapshot.keys = [newTestKey()];
		world.timestamp.keys = [newTestKey()];
		world.root.version += 1;
		repository.publishRoot();
		repository.next();
	},
	'root keys changed': (repository) => rotateRoot(repository, 'both'),
	'root keys changed by the old alone': (repository) => rotateRoot(repository, 'old'),
	'root keys changed by the new alone': (repository) => rotateRoot(repository, 'new'),
	'a root that is honest again': (repository) => {
		repository.world.root.version += 1;
		repository.publishRoot();
	},
};

interface Comparison {
	readonly clients: Clients;
	readonly story: string[];
}

/** @returns what differs; null: nothing */
async function play(
	{ clients, story }: Comparison,
	steps: readonly (readonly [string, number])[],
): Promise<string | null> {
	const past: ReadonlyMap<string, Buffer>[] = [clients.repository.recording()];
	for (const [name, number] of steps) {
		STEPS[name]?.(clients.repository, past, number);
		const { ours, peers } = await clients.compare();
		story.push(`${name} (${number}): ${ours}, tuf-js: ${peers}`);
		if ((ours === 'accepted') !== (peers === 'accepted')) return story.join('\n');
		past.push(clients.repository.recording());
	}
	return null;
}

test('whatever a repository does, this client and tuf-js take the same and refuse the same', async (t) => {
	t.timeout(120_000);
	const seen = new Set<string>();
	const step = fc.tuple(fc.constantFrom(...Object.keys(STEPS)), fc.nat(1_000));
	await fc.assert(
		fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 10 }), async (steps) => {
			const story: string[] = [];
			const difference = await play({ clients: await bothClients(t), story }, steps);
			for (const line of story) seen.add(/: (\S+), tuf-js/.exec(line)?.[1] ?? '');
			t.is(difference, null, difference ?? '');
		}),
		{ numRuns: 30, seed: 20_261 },
	);
	t.true(['accepted', 'rollback', 'threshold', 'expired', 'missing'].every((verdict) => seen.has(verdict)));
});
