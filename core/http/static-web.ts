import { constants, createBrotliCompress } from 'node:zlib';

import { notFound } from '@hapi/boom';
import inert from '@hapi/inert';
import type { Plugin } from '@hapi/hapi';

import { publicAccess } from './access.ts';

/** The built web page. */
export interface WebFolder {
	/** Absolute path of the folder. */
	readonly folder: string;
	/** File in it that is served at `/`, e.g. `index.html`. */
	readonly index: string;
}

/** Names below this folder carry a hash of their content: they never change. */
const HASHED = 'assets/';

/** Compression on the fly must not cost more than it saves. */
const BROTLI_QUALITY = 4;

const PRECOMPRESSED = { br: '.br', gzip: '.gz' };

const cacheControl = (path: string): string =>
	path.startsWith(HASHED) ? 'public, max-age=31536000, immutable' : 'no-cache';

/** Serves the page's files, `.br` and `.gz` neighbours first. Unknown paths are 404: nothing is guessed. */
export const staticWeb: Plugin<WebFolder> = {
	name: 'static-web',
	async register(server, { folder, index }) {
		await server.register(inert);
		server.encoder('br', (options: object | undefined) =>
			createBrotliCompress({ ...options, params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
		);
		server.route<{ Params: { path?: string } }>({
			method: 'GET',
			path: '/{path*}',
			options: {
				...publicAccess,
				handler: (request, h) => {
					const path = request.params.path || index;
					// Dot files and whatever the API does not know are no part of the page.
					if (path === 'api' || path.startsWith('api/') || path.split('/').some((part) => part.startsWith('.')))
						throw notFound();
					return h
						.file(path, { confine: folder, lookupCompressed: true, lookupMap: PRECOMPRESSED })
						.header('cache-control', cacheControl(path));
				},
			},
		});
	},
};
