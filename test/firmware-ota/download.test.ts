import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { TrustFault } from '../../firmware-ota/trust/trust-fault.ts';
import { createFolderTargetSource } from '../../firmware-ota/trust/folder-source.ts';
import { createHttpTargetSource } from '../../firmware-ota/trust/http-source.ts';
import type { TargetSource } from '../../firmware-ota/trust/metadata-source.ts';
import { downloadTarget, targetFileName } from '../../firmware-ota/trust/target-download.ts';
import { createManualTimer } from '../fake/manual-timer.ts';
import { bothClients, newFolder } from './both-clients.ts';

const CONTENT = Buffer.alloc(300_000, 'a release of the appliance. ');
const PATH = 'appliance/gateway-1.tar';

async function prepared(t: ExecutionContext) {
	const clients = await bothClients(t, {
		prepare: (repository) => void repository.delegate('appliance', { targets: { [PATH]: CONTENT } }),
	});
	t.is(await clients.refresh(), 'accepted');
	const target = clients.view().find(PATH);
	if (target === null) throw new TypeError('no target');
	const folder = newFolder(t);
	const baseUrl = `${clients.server.url}/targets`;
	const get = (source: TargetSource = createHttpTargetSource({ baseUrl })) =>
		downloadTarget({ target, source, folder, signal: new AbortController().signal });
	const file = `targets/${targetFileName(target)}`;
	return { ...clients, target, folder, baseUrl, get, file, part: join(folder, `${target.sha256}.part`) };
}

const refusalOf = (thrown: unknown): string => (thrown instanceof TrustFault ? thrown.refusal : String(thrown));

test('a target is there under its hash when it is whole and verified', async (t) => {
	const { get, folder, target, part } = await prepared(t);
	const { path, fetchedBytes } = await get();
	t.is(path, join(folder, target.sha256));
	t.deepEqual(readFileSync(path), CONTENT);
	t.is(fetchedBytes, CONTENT.length);
	t.false(existsSync(part));
	t.is((await get()).fetchedBytes, 0, 'it is not fetched twice');
});

test('wrong hash: a file of the right length with other bytes is refused, and nothing of it is kept', async (t) => {
	const { get, repository, file, part } = await prepared(t);
	repository.files.set(file, Buffer.alloc(CONTENT.length, 'evil'));
	t.is(refusalOf(await t.throwsAsync(get())), 'wrong-content');
	t.false(existsSync(part));
});

test('wrong length: a file that is longer than signed is refused before its end', async (t) => {
	const { get, server, file, part } = await prepared(t);
	server.behaviours.set(file, (_request, response) => {
		response.writeHead(200);
		const more = (): void => {
			if (!response.destroyed) response.write(CONTENT, more);
		};
		more();
	});
	t.is(refusalOf(await t.throwsAsync(get())), 'wrong-content');
	t.false(existsSync(part));
});

test('wrong length: a file that is shorter than signed is not there', async (t) => {
	const { get, repository, file, folder, target } = await prepared(t);
	repository.files.set(file, CONTENT.subarray(0, 1000));
	t.is(refusalOf(await t.throwsAsync(get())), 'unreachable');
	t.false(existsSync(join(folder, target.sha256)));
});

test('a link that is cut again and again costs no byte twice', async (t) => {
	const { get, server, file, part } = await prepared(t);
	const step = 50_000;
	let sent = 0;
	server.behaviours.set(file, (request, response) => {
		const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
		const headers = { 'content-length': CONTENT.length - from };
		const range = { 'content-range': `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` };
		response.writeHead(from === 0 ? 200 : 206, from === 0 ? headers : { ...headers, ...range });
		const piece = CONTENT.subarray(from, from + step);
		sent += piece.length;
		// What the client has not stored yet would go down with the connection.
		const cut = (): void => {
			if (statSync(part).size >= from + step) response.destroy();
			else setImmediate(cut);
		};
		if (from + step < CONTENT.length) response.write(piece, cut);
		else response.end(piece);
	});
	let tries = 0;
	for (;;) {
		tries += 1;
		const got = await get().catch((error: unknown) => refusalOf(error));
		if (typeof got !== 'string') {
			t.deepEqual(readFileSync(got.path), CONTENT);
			break;
		}
		t.is(got, 'unreachable');
		t.true(statSync(part).size > 0);
		if (tries > 20) break;
	}
	t.is(tries, CONTENT.length / step);
	t.is(sent, CONTENT.length);
});

test('a part that was damaged on disk is found out at the end, and fetched anew', async (t) => {
	const { get, part } = await prepared(t);
	writeFileSync(part, Buffer.alloc(1000, 'x'));
	t.is(refusalOf(await t.throwsAsync(get())), 'wrong-content');
	const { fetchedBytes } = await get();
	t.is(fetchedBytes, CONTENT.length);
});

test('a part that is longer than the file, or as long, does not get in the way', async (t) => {
	const { get, part, folder, target } = await prepared(t);
	writeFileSync(part, Buffer.alloc(CONTENT.length + 1));
	t.is((await get()).fetchedBytes, CONTENT.length);
	truncateSync(join(folder, target.sha256), 10);
	writeFileSync(part, CONTENT);
	t.is((await get()).fetchedBytes, 0);
	t.deepEqual(readFileSync(join(folder, target.sha256)), CONTENT);
});

test('a server that knows no ranges, or has another file, begins anew', async (t) => {
	const { get, server, file, part } = await prepared(t);
	writeFileSync(part, CONTENT.subarray(0, 1000));
	const ranges: (string | undefined)[] = [];
	server.behaviours.set(file, (request, response) => {
		ranges.push(request.headers.range, request.headers['if-range']?.toString());
		response.writeHead(200).end(CONTENT);
	});
	t.is((await get()).fetchedBytes, CONTENT.length);
	t.is(ranges[0], 'bytes=1000-');
	t.regex(ranges[1] ?? '', /^"[0-9a-f]{64}"$/);
});

test('a part that begins elsewhere than it was asked to is not taken', async (t) => {
	const { get, server, file, part } = await prepared(t);
	writeFileSync(part, CONTENT.subarray(0, 1000));
	server.behaviours.set(file, (_request, response) => {
		response.writeHead(206, { 'content-range': `bytes 500-${CONTENT.length - 1}/${CONTENT.length}` }).end('x');
	});
	t.is(refusalOf(await t.throwsAsync(get())), 'unreachable');
	t.is(statSync(part).size, 1000);
});

test('slow retrieval: a target that trickles is given up, and what came is kept', async (t) => {
	const { get, server, file, part, baseUrl } = await prepared(t);
	const timer = createManualTimer();
	server.behaviours.set(file, (_request, response) => {
		response.writeHead(200).write(CONTENT.subarray(0, 2000));
	});
	const verdict = get(createHttpTargetSource({ baseUrl, setTimer: timer.setTimer })).catch((error: unknown) =>
		refusalOf(error),
	);
	while (!existsSync(part) || statSync(part).size < 2000) await new Promise((resolve) => void setImmediate(resolve));
	timer.advance(30_000);
	t.is(await verdict, 'too-slow');
	t.is(statSync(part).size, 2000);
});

test('slow retrieval: a target that keeps the agreed pace is waited for', async (t) => {
	const { get, server, file, part, baseUrl } = await prepared(t);
	const timer = createManualTimer();
	const answering: ServerResponse[] = [];
	server.behaviours.set(file, (_request, response) => {
		answering.push(response);
		response.write(CONTENT.subarray(0, 40_000));
	});
	const done = get(createHttpTargetSource({ baseUrl, setTimer: timer.setTimer }));
	for (let at = 40_000; at < CONTENT.length; at += 40_000) {
		while (!existsSync(part) || statSync(part).size < at) await new Promise((resolve) => void setImmediate(resolve));
		timer.advance(30_000);
		const piece = CONTENT.subarray(at, at + 40_000);
		if (at + 40_000 < CONTENT.length) answering[0]?.write(piece);
		else answering[0]?.end(piece);
	}
	t.is((await done).fetchedBytes, CONTENT.length);
});

test('a target from a folder is verified in the same way, and goes on where it ended', async (t) => {
	const { get, part, file, repository } = await prepared(t);
	const home = newFolder(t);
	const source = createFolderTargetSource(join(home, 'targets'));
	t.is(refusalOf(await t.throwsAsync(get(source))), 'missing');
	mkdirSync(dirname(join(home, file)), { recursive: true });
	writeFileSync(join(home, file), repository.files.get(file) ?? '');
	writeFileSync(part, CONTENT.subarray(0, 200_000));
	t.is((await get(source)).fetchedBytes, 100_000);
});
