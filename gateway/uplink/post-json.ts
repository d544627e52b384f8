import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface TextAnswer {
	readonly status: number;
	readonly text: string;
}

export interface PostLimits {
	/** For the whole exchange, ms. */
	readonly timeoutMs: number;
	/** A longer answer is an error. */
	readonly answerBytes: number;
}

async function textOf(response: IncomingMessage, mostBytes: number): Promise<string> {
	const pieces: Buffer[] = [];
	let length = 0;
	for await (const piece of response) {
		const bytes = Buffer.from(piece);
		length += bytes.length;
		if (length > mostBytes) throw new Error(`the answer is longer than ${mostBytes} bytes`);
		pieces.push(bytes);
	}
	return Buffer.concat(pieces).toString('utf8');
}

/**
 * POSTs JSON and answers what came, whatever its status; redirects are not followed. `node:http` and not `fetch`, which takes 30 MB
 * of memory and never gives them back, for one call in the life of a gateway.
 * @throws Error with the reason of the network, the timeout or an answer that is too long
 */
export function postJson(url: URL, body: object, { timeoutMs, answerBytes }: PostLimits): Promise<TextAnswer> {
	const payload = JSON.stringify(body);
	const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
	const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
	return new Promise((resolve, reject) => {
		const signal = AbortSignal.timeout(timeoutMs);
		const isLate = (): void => reject(new Error(`no answer within ${timeoutMs / 1_000} s`));
		signal.addEventListener('abort', isLate, { once: true });
		const outgoing = request(url, { method: 'POST', headers, signal, agent: false }, (response) => {
			textOf(response, answerBytes).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
		});
		outgoing.once('error', reject);
		outgoing.end(payload);
	});
}
