import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import { type Clock, epochMs } from '../../core/kernel/clock.ts';
import { main } from '../../firmware-ota/sign/sign-command.ts';
import { newFolder } from './both-clients.ts';

/** A guess costs nothing here. */
const CHEAP_N = 16;
export const PASSPHRASE = 'correct horse battery';

export interface Answer {
	readonly code: number;
	readonly out: string;
	readonly err: string;
}

/** A folder with keys and a repository, and the command line that works on them. */
export interface SignDesk {
	readonly home: string;
	readonly repository: string;
	/** Runs a line; words that begin with `@` are names of keys, others are taken as they are. */
	readonly run: (line: string) => Promise<Answer>;
	/** The same, and fails the test when it is refused. */
	readonly ok: (line: string) => Promise<string>;
	readonly path: (name: string) => string;
	readonly keyId: (name: string) => string;
	/** Moves the clock, days. */
	readonly wait: (days: number) => void;
	/** What is published now. */
	readonly files: () => ReadonlyMap<string, Buffer>;
}

const DAY_MS = 86_400_000;

export async function signDesk(t: ExecutionContext, names: readonly string[] = []): Promise<SignDesk> {
	const home = newFolder(t);
	const repository = join(home, 'repository');
	mkdirSync(join(home, 'keys'));
	let now = Date.now();
	const clock: Clock = { now: () => epochMs(now), monotonicMs: () => 0 };
	const path = (name: string): string => join(home, name);
	const wordOf = (word: string): string =>
		word.startsWith('@') ? path(`keys/${word.slice(1)}`) : word.replace('REPOSITORY', repository).replace('HOME', home);

	async function run(line: string): Promise<Answer> {
		let [out, err] = ['', ''];
		const code = await main(line.split(' ').map(wordOf), {
			out: (text) => void (out += text),
			err: (text) => void (err += text),
			clock,
			passphrase: PASSPHRASE,
			askHidden: null,
			scryptN: CHEAP_N,
		});
		return { code, out, err };
	}

	async function ok(line: string): Promise<string> {
		const { code, out, err } = await run(line);
		t.is(code, 0, `${line}: ${err}`);
		return out;
	}

	for (const name of names) await ok(`new-key --key @${name} --name ${name}`);

	function filesBelow(folder: string): readonly string[] {
		return readdirSync(folder, { withFileTypes: true, recursive: true })
			.filter((entry) => entry.isFile())
			.map(({ parentPath, name }) => join(parentPath, name).slice(repository.length + 1));
	}

	return {
		home,
		repository,
		run,
		ok,
		path,
		keyId: (name) => JSON.parse(readFileSync(path(`keys/${name}.pub`), 'utf8')).key_id,
		wait: (days) => void (now += days * DAY_MS),
		files: () => new Map(filesBelow(repository).map((name) => [name, readFileSync(join(repository, name))])),
	};
}

const PEOPLE = ['alice', 'bob', 'carol', 'builder', 'snap', 'stamp'];
export const PUBLISH = 'publish --repository REPOSITORY --snapshot-key @snap --timestamp-key @stamp';

/** A repository that is published: root 2 of 3, everything else 1, the appliance delegated to the builder. */
export async function publishedDesk(t: ExecutionContext): Promise<SignDesk> {
	const desk = await signDesk(t, PEOPLE);
	const { ok } = desk;
	await ok(
		'init --repository REPOSITORY --root-key @alice.pub --root-key @bob.pub --root-key @carol.pub --root-threshold 2 ' +
			'--targets-key @alice.pub --snapshot-key @snap.pub --timestamp-key @stamp.pub',
	);
	await ok('sign --repository REPOSITORY --role root --key @alice');
	await ok('sign --repository REPOSITORY --role root --key @bob');
	await ok('delegate --repository REPOSITORY --role appliance --path appliance/* --key @builder.pub');
	await ok('sign --repository REPOSITORY --role targets --key @alice');
	await ok('sign --repository REPOSITORY --role appliance --key @builder');
	await ok(PUBLISH);
	return desk;
}
