import { createServer } from 'node:net';

import { listenOnLoopback } from '../../gateway/simulator/listen.ts';

/** The first port of the first share. All shares end below the ports that a kernel hands out by itself (Linux: from 32 768 on). */
const FIRST_PORT = 12_000;
const SHARES = 640;
const PORTS_OF_A_SHARE = 32;

let asked = 0;

async function isFree(port: number): Promise<boolean> {
	const server = createServer();
	try {
		await listenOnLoopback(server, port);
	} catch {
		return false;
	}
	await new Promise((resolve) => {
		server.close(resolve);
	});
	return true;
}

/**
 * A port of loopback where nobody listens, and which nobody else takes by chance: for a server that is started later or again and
 * again, and for an address that has to stay empty. A port that was had by asking for any, and let go, is given to whoever asks
 * next; this one is none of those, and test processes that run side by side have shares of their own.
 * @throws Error when all ports of this process are taken
 */
export async function reservePort(): Promise<number> {
	const share = FIRST_PORT + (process.pid % SHARES) * PORTS_OF_A_SHARE;
	for (let tries = 0; tries < PORTS_OF_A_SHARE; tries += 1) {
		const port = share + (asked % PORTS_OF_A_SHARE);
		asked += 1;
		if (await isFree(port)) return port;
	}
	throw new Error(`the ports from ${share} on are all taken`);
}
