import { type Agent, request } from 'node:http';

/** What a call brought. */
export interface Answer {
	readonly status: number;
	readonly text: string;
	/** The JSON of the body; null when it is none. */
	readonly body: unknown;
	/** A header of the answer; several of one name are joined. */
	header(name: string): string | null;
}

export interface Call {
	readonly method: string;
	/** From the root, with the query. */
	readonly path: string;
	readonly headers?: Readonly<Record<string, string>>;
	/** The bytes of the body as text; none when absent. */
	readonly payload?: string;
	/** The loopback address the call comes from: limits are per address. */
	readonly from?: string;
	/** Keeps connections open; without it each call has its own. */
	readonly agent?: Agent;
}

const ANSWER_WITHIN_MS = 30_000;

function jsonOf(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

/** One request over the network. */
export function send(port: number, { method, path, headers = {}, payload, from, agent }: Call): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const outgoing = request(
			{
				host: '127.0.0.1',
				port,
				method,
				path,
				agent: agent ?? false,
				timeout: ANSWER_WITHIN_MS,
				headers: { ...(payload === undefined ? {} : { 'content-length': Buffer.byteLength(payload) }), ...headers },
				...(from === undefined ? {} : { localAddress: from }),
			},
			(incoming) => {
				let text = '';
				incoming.setEncoding('utf8');
				incoming.on('data', (piece: string) => (text += piece));
				incoming.on('error', reject);
				incoming.on('end', () =>
					resolve({
						status: incoming.statusCode ?? 0,
						text,
						body: jsonOf(text),
						header: (name) => {
							const value = incoming.headers[name.toLowerCase()];
							return value === undefined ? null : [value].flat().join('\n');
						},
					}),
				);
			},
		);
		outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path} was not answered`)));
		outgoing.on('error', reject);
		outgoing.end(payload);
	});
}
