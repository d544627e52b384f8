import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

import { type Plugin, defineConfig } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Files that gain from compression; the icon and the scripts are text as well. */
const COMPRESSIBLE = /\.(?:html|js|css|svg)$/;

/** Leaves `.br` and `.gz` beside each text file, so that the appliance never compresses while it serves. */
function precompress(folder: string): Plugin {
	return {
		name: 'precompress',
		apply: 'build',
		async closeBundle() {
			const files = await readdir(folder, { recursive: true });
			await Promise.all(
				files
					.filter((name) => COMPRESSIBLE.test(name))
					.map(async (name) => {
						const file = join(folder, name);
						const content = await readFile(file);
						const best = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
						await writeFile(`${file}.br`, await promisify(brotliCompress)(content, best));
						await writeFile(`${file}.gz`, await promisify(gzip)(content, { level: 9 }));
					}),
			);
		},
	};
}

/** `--mode gateway` or `--mode hub` chooses the entry point; each becomes a folder that is served at `/`. */
export default defineConfig(({ mode }) => {
	const outDir = join(here, '..', 'dist', 'web', mode);
	return {
		root: join(here, mode),
		publicDir: join(here, 'public'),
		oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
		define: { 'process.env.NODE_ENV': '"production"' },
		plugins: [precompress(outDir)],
		build: {
			outDir,
			emptyOutDir: true,
			target: 'es2023',
			// The content security policy admits no data: addresses and no inline script.
			assetsInlineLimit: 0,
			modulePreload: { polyfill: false },
			reportCompressedSize: false,
		},
	};
});
