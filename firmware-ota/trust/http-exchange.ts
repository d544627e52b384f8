import { type Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

import { refused, TrustFault } from './trust-fault.ts';

/** A repository that is reached over HTTP or HTTPS. */
export interface HttpPlace {
	/** Folder of the files, e.g. `https://hub.example/tuf/metadata`. */
	readonly baseUrl: string;
	/** Brings the client certificate and the hub's authority; default: none of them. */
	readonly agent?: Agent;
}

/** An answer whose body nobody has read yet. */
export interface HttpAnswer {
	readonly status: number;
	readonly body: IncomingMessage;
}

const MOST_HEADER_BYTES = 16_384;

/** A path below the base; its parts cannot climb. */
function urlOf({ baseUrl }: HttpPlace, path: string): URL {
	const base = baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`;
	return new URL(path.split('/').map(encodeURIComponent).join('/'), base);
}

/**
 * Asks for a file as it is, not packed: what is packed can be larger than it seems. Follows nobody elsewhere. Ends when `signal` does.
 *
 * @throws TrustFault `unreachable`
 */
export function getOverHttp(
	place: HttpPlace,
	path: string,
	{ headers = {}, signal }: { readonly headers?: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<HttpAnswer> {
	const url = urlOf(place, path);
	const options = {
		headers: { 'accept-encoding': 'identity', 'user-agent': 'drawbridge-update', ...headers },
		maxHeaderSize: MOST_HEADER_BYTES,
		signal,
		...(place.agent === undefined ? {} : { agent: place.agent }),
	};
	return new Promise((resolve, reject) => {
		const sent: ClientRequest = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
		// Stays: what is called off after the answer came says so here too.
		sent.on('error', (error) => reject(refused('unreachable', url.href, signal.aborted ? signal.reason : error)));
		sent.once('response', (body) => {
			const encoding = body.headers['content-encoding'] ?? 'identity';
			if (encoding === 'identity') resolve({ status: body.statusCode ?? 0, body });
			else {
				body.destroy();
				reject(new TrustFault('unreachable', `${url.href}: it came as ${encoding}, which was not asked for`));
			}
		});
		sent.end();
	});
}

/** The file is not there; the specification lets mirrors say so in more than one way. */
export const isAbsent = (status: number): boolean => status === 403 || status === 404 || status === 410;

/** What broke a body off, as a fault. */
export const brokenOff = (name: string, error: unknown): TrustFault =>
	error instanceof TrustFault ? error : refused('unreachable', name, error);
