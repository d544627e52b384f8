import { connect, type Socket } from 'node:net';

export interface HttpLoad {
	readonly port: number;
	readonly path: string;
	readonly token: string;
	readonly connections: number;
	readonly ms: number;
}

const HEAD_END = '\r\n\r\n';
const LENGTH = /\r\ncontent-length: (\d+)/i;

/** Bytes of the answer that begins here; `null` while its head has not arrived. @throws Error for another status than 200 */
function answerLength(received: string): number | null {
	const headEnd = received.indexOf(HEAD_END);
	if (headEnd < 0) return null;
	const head = received.slice(0, headEnd);
	if (!head.startsWith('HTTP/1.1 200')) throw new Error(`the server answers ${head.slice(0, head.indexOf('\r'))}`);
	return headEnd + HEAD_END.length + Number(LENGTH.exec(head)?.[1] ?? Number.NaN);
}

/**
 * Requests one after the other on each of some connections, and counts the answers. Sockets without an HTTP client, because that would
 * cost more than the servers that are measured.
 * @returns answers per second
 */
export async function runHttpLoad({ port, path, token, connections, ms }: HttpLoad): Promise<number> {
	const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`);
	const sockets: Socket[] = [];
	let answers = 0;
	const fromMs = performance.now();
	await new Promise<void>((resolve, reject) => {
		const timer = setTimeout(resolve, ms);
		const fail = (error: Error): void => {
			clearTimeout(timer);
			reject(error);
		};
		for (let count = 0; count < connections; count += 1) {
			const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(request));
			let received = '';
			socket.setEncoding('latin1');
			socket.on('error', fail);
			socket.on('data', (chunk: string) => {
				received += chunk;
				try {
					const length = answerLength(received);
					if (length === null || received.length < length) return;
				} catch (error) {
					fail(error instanceof Error ? error : new Error(String(error)));
					return;
				}
				received = '';
				answers += 1;
				socket.write(request);
			});
			sockets.push(socket);
		}
	});
	const seconds = (performance.now() - fromMs) / 1_000;
	for (const socket of sockets) socket.destroy();
	return answers / seconds;
}
