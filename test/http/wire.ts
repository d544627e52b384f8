import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What came back on one connection until it was closed or silent. */
export interface WireAnswer {
	readonly status: number;
	readonly headers: ReadonlyMap<string, string>;
	readonly body: string;
	/** Everything that came, of all answers. */
	readonly raw: string;
}

const CLOSED_WITHIN_MS = 30_000;

export async function dial(port: number): Promise<Socket> {
	const socket = connect({ host: '127.0.0.1', port });
	await once(socket, 'connect');
	return socket;
}

/** Sends these bytes on a connection of their own and reads until the server closes it. */
export async function exchange(port: number, ...parts: readonly (string | Buffer)[]): Promise<WireAnswer> {
	const socket = await dial(port);
	socket.on('error', () => undefined);
	for (const part of parts) socket.write(part);
	return answerOn(socket);
}

/** Reads one answer on a connection that the server will close. */
export async function answerOn(socket: Socket): Promise<WireAnswer> {
	const chunks: Buffer[] = [];
	socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
	const patience = setTimeout(() => socket.destroy(), CLOSED_WITHIN_MS);
	await once(socket, 'close');
	clearTimeout(patience);
	const raw = Buffer.concat(chunks).toString();
	const [head = '', ...rest] = raw.split('\r\n\r\n');
	const [line = '', ...lines] = head.split('\r\n');
	const headers = new Map(
		lines.map((text) => {
			const colon = text.indexOf(':');
			return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()] as const;
		}),
	);
	return { status: Number(line.split(' ')[1] ?? 0), headers, body: rest.join('\r\n\r\n'), raw };
}
