import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import type { ExecutionContext } from 'ava';

export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

export interface RepositoryServer {
	readonly url: string;
	/** Paths that were asked for, in order. */
	readonly asked: string[];
	/** What answers a path instead of the file. */
	readonly behaviours: Map<string, Behaviour>;
}

/** The part of a file that a request asks for. */
function answer(bytes: Buffer, request: IncomingMessage, response: ServerResponse): void {
	const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
	if (from === 0 || from >= bytes.length) {
		response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
		return;
	}
	const part = bytes.subarray(from);
	const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
	response.writeHead(206, { 'content-length': part.length, 'content-range': range }).end(part);
}

/** Serves files by their path on a free port of the loopback until the test ends. */
export async function serveRepository(
	t: ExecutionContext,
	files: ReadonlyMap<string, Buffer>,
): Promise<RepositoryServer> {
	const asked: string[] = [];
	const behaviours = new Map<string, Behaviour>();
	const server = createServer((request, response) => {
		const path = decodeURIComponent((request.url ?? '/').slice(1));
		asked.push(path);
		const behaviour = behaviours.get(path);
		const bytes = files.get(path);
		if (behaviour !== undefined) behaviour(request, response);
		else if (bytes === undefined) response.writeHead(404).end();
		else answer(bytes, request, response);
	});
	await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
	t.teardown(
		() =>
			new Promise<void>((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	);
	const address = server.address();
	if (address === null || typeof address === 'string') throw new TypeError('the server has no port');
	return { url: `http://127.0.0.1:${address.port}`, asked, behaviours };
}
