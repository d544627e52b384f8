import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { untilOnline } from './kit/enrolled.ts';
import type { HullProcess } from './kit/hull-process.ts';
import { ADMINISTRATOR, claim, member } from './kit/rest.ts';
import { createStage } from './kit/stage.ts';

interface Found {
	readonly path: string;
	readonly isFolder: boolean;
	readonly mode: number;
}

function walk(folder: string): readonly Found[] {
	const inside = readdirSync(folder).flatMap((name): readonly Found[] => {
		const path = join(folder, name);
		// The hull goes on while it is inspected: a temporary file may be gone by now.
		const found = statSync(path, { throwIfNoEntry: false });
		if (found === undefined) return [];
		return found.isDirectory() ? walk(path) : [{ path, isFolder: false, mode: found.mode & 0o777 }];
	});
	return [{ path: folder, isFolder: true, mode: statSync(folder).mode & 0o777 }, ...inside];
}

/** What is in a file; nothing when it is gone. */
const contentOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'latin1') : '');

const PRIVATE_KEY = /-----BEGIN PRIVATE KEY-----(?:\n|\\n|\\r|\r)+([A-Za-z0-9+/]{40})/g;

/** Pieces of everything in a text that nobody may see. */
function secretsIn(text: string): readonly string[] {
	const keys = [...text.matchAll(PRIVATE_KEY)].map(([, piece]) => piece ?? '');
	const named = [...text.matchAll(/"(?:tokenKey|key|passwordHash|secretHash)":\s*"([^"]{20,})"/g)].map(
		([, piece]) => piece ?? '',
	);
	return [...keys, ...named];
}

function inspect(
	t: ExecutionContext,
	hull: HullProcess,
): { readonly secrets: readonly string[]; readonly log: string } {
	const found = walk(hull.dataFolder);
	for (const { path, mode } of found) t.is(mode & 0o077, 0, `${path} is ${mode.toString(8)}`);
	for (const { path, isFolder, mode } of found) if (isFolder) t.is(mode, 0o700, path);
	const files = found.filter(({ isFolder }) => !isFolder).map(({ path }) => contentOf(path));
	return {
		secrets: files.flatMap(secretsIn),
		log: readFileSync(join(dirname(hull.dataFolder), `${hull.role}.log`), 'utf8'),
	};
}

test.serial('keys and secrets at rest are for the service only, and no log names one', async (t) => {
	t.timeout(300_000);
	const stage = createStage(t);
	const log = { level: 'debug' };
	const hub = await stage.spawnHub({ log });
	const code = readFileSync(join(hub.dataFolder, 'enrolment-code'), 'utf8').trim();
	const link = await stage.spawnLink(hub);
	const gateway = await stage.spawnGateway({ devices: [], uplink: { hub, link }, settings: { log } });
	const hubRest = await claim(hub.url(), await hub.claimCode());
	const gatewayRest = await claim(gateway.url(), await gateway.claimCode());
	await untilOnline(gatewayRest);
	const { body } = await hubRest.post('/api/v1/gateways/enrolment-codes', {});
	const more = [
		code,
		String(member(body, 'code')),
		ADMINISTRATOR.password,
		gatewayRest.token ?? '',
		hubRest.token ?? '',
	];

	const hulls = [inspect(t, hub), inspect(t, gateway)];
	for (const { secrets } of hulls) t.true(secrets.length >= 2, 'there are some to look for');
	for (const secret of [...hulls.flatMap(({ secrets }) => secrets), ...more]) {
		t.true(secret.length >= 16);
		for (const { log: text } of hulls) t.false(text.includes(secret), `${secret.slice(0, 6)}… is in a log`);
	}
	for (const { log: text } of hulls) {
		t.regex(text, /"lan-authority"/, 'the log is there from the start');
		t.notRegex(text, /PRIVATE KEY/);
	}
});
