import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import test from 'ava';

import { silentLog } from '../../core/kernel/log.ts';
import { assertHeaders, sampleServer } from './sample-server.ts';

test('the page is served with caching by name, compressed neighbours first, and nothing beside it', async (t) => {
	const root = await mkdtemp(join(tmpdir(), 'web-'));
	const folder = join(root, 'web');
	try {
		await mkdir(join(folder, 'assets'), { recursive: true });
		await writeFile(join(folder, 'gateway.html'), '<!doctype html><title>Gateway</title>');
		await writeFile(join(folder, 'assets/app-1a2b.js'), 'plain');
		await writeFile(join(folder, 'assets/app-1a2b.js.br'), 'as brotli');
		await writeFile(join(folder, 'assets/app-1a2b.js.gz'), gzipSync('as gzip'));
		await writeFile(join(folder, '.hidden'), 'secret');
		await writeFile(join(root, 'outside'), 'secret');
		const server = await sampleServer(silentLog, { folder, index: 'gateway.html' });

		const index = await server.inject('/');
		t.is(index.statusCode, 200);
		t.regex(String(index.headers['content-type']), /^text\/html/);
		t.is(index.headers['cache-control'], 'no-cache');
		assertHeaders(t, index.headers, 'index');

		const asset = (encoding: string) =>
			server.inject({ url: '/assets/app-1a2b.js', headers: { 'accept-encoding': encoding } });
		t.is((await asset('identity')).payload, 'plain');
		t.is((await asset('identity')).headers['cache-control'], 'public, max-age=31536000, immutable');
		t.is((await asset('gzip, br')).payload, 'as brotli');
		t.is((await asset('gzip, br')).headers['content-encoding'], 'br');
		t.is((await asset('gzip')).headers['content-encoding'], 'gzip');

		for (const path of ['/missing.js', '/.hidden', '/api/v1/unknown', '/api/unknown', '/assets/missing.js'])
			t.is((await server.inject(path)).statusCode, 404, path);
		for (const path of ['/assets', '/../outside', '/..%2foutside', '/%2e%2e/outside', '/assets/..%2f..%2foutside']) {
			const answer = await server.inject(path);
			t.not(answer.statusCode, 200, path);
			t.notRegex(answer.payload, /secret/, path);
		}
		await server.stop();
	} finally {
		await rm(root, { recursive: true });
	}
});
