import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';

import test, { type ExecutionContext } from 'ava';

const WEB = fileURLToPath(new URL('../../web/', import.meta.url));
const HULLS = ['gateway', 'hub'] as const;
/** What a phone on a bad link fetches before it shows anything. */
const FIRST_ROUTE_BYTES = 30 * 1024;
const WHOLE_BYTES = 200 * 1024;
/** Names of XML namespaces, and addresses of documentation inside of messages; nothing is fetched from them. */
const HARMLESS = /^https?:\/\/(?:www\.w3\.org|preactjs\.com|socket\.io\/docs)\b/;

function built(t: ExecutionContext, hull: string): boolean {
	if (existsSync(join(WEB, hull, 'index.html'))) return true;
	t.log(`skipped: ${join(WEB, hull)} is not built`);
	t.pass();
	return false;
}

async function filesOf(hull: string, ending: RegExp): Promise<readonly string[]> {
	const names = await readdir(join(WEB, hull), { recursive: true });
	return names.filter((name) => ending.test(name)).map((name) => join(WEB, hull, name));
}

async function sizeOf(files: readonly string[]): Promise<number> {
	const sizes = await Promise.all(files.map(async (file) => gzipSync(await readFile(file), { level: 9 }).length));
	return sizes.reduce((sum, size) => sum + size, 0);
}

for (const hull of HULLS) {
	test(`the ${hull} page names no foreign host`, async (t) => {
		if (!built(t, hull)) return;
		for (const file of await filesOf(hull, /\.(?:html|js|css|svg)$/)) {
			const text = await readFile(file, 'utf8');
			const hosts = text.match(/(?:https?:)?\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)+[^\s"'`)]*/gi) ?? [];
			t.deepEqual(
				hosts.filter((host) => !HARMLESS.test(host)),
				[],
				file,
			);
		}
	});

	test(`the ${hull} page has no inline script, style or data address`, async (t) => {
		if (!built(t, hull)) return;
		const html = await readFile(join(WEB, hull, 'index.html'), 'utf8');
		t.notRegex(html, /<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+=/);
		for (const file of await filesOf(hull, /\.css$/)) t.notRegex(await readFile(file, 'utf8'), /url\(\s*["']?data:/);
	});

	test(`the first route of the ${hull} page is small, and so is the whole`, async (t) => {
		if (!built(t, hull)) return;
		const html = await readFile(join(WEB, hull, 'index.html'), 'utf8');
		const first = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(([, name]) =>
			join(WEB, hull, name ?? ''),
		);
		t.true(first.length > 0);
		const firstBytes = await sizeOf(first);
		t.log(`first route ${firstBytes} bytes of gzip`);
		t.true(firstBytes <= FIRST_ROUTE_BYTES, `${firstBytes} bytes`);
		t.true((await sizeOf(await filesOf(hull, /\.(?:js|css|html)$/))) <= WHOLE_BYTES);
	});

	test(`each text file of the ${hull} page has its compressed twins`, async (t) => {
		if (!built(t, hull)) return;
		for (const file of await filesOf(hull, /\.(?:html|js|css|svg)$/)) {
			const plain = await readFile(file);
			t.true(gunzipSync(await readFile(`${file}.gz`)).equals(plain), file);
			t.true(brotliDecompressSync(await readFile(`${file}.br`)).equals(plain), file);
		}
	});
}
