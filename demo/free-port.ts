import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

/** A port that was free a moment ago, and who held the one that was wanted. */
export interface FoundPort {
	readonly port: number;
	/** Null: the wanted port was free. Else a name such as `node (pid 812)`, or `another program`. */
	readonly takenBy: string | null;
}

const MOST_TRIED = 100;
/** State of a listening socket in /proc/net/tcp. */
const LISTEN = '0A';

function isFree(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const server = createServer();
		server.once('error', () => resolve(false));
		server.listen(port, '127.0.0.1', () => {
			server.close(() => resolve(true));
		});
	});
}

const orEmpty = <T>(read: () => readonly T[]): readonly T[] => {
	try {
		return read();
	} catch {
		return [];
	}
};

/** Inodes of the sockets that listen on a port, out of the text of /proc/net/tcp or tcp6. */
export function listeningInodes(table: string, port: number): readonly string[] {
	const wanted = port.toString(16).toUpperCase().padStart(4, '0');
	return table
		.split('\n')
		.map((line) => line.trim().split(/\s+/))
		.filter(([, local, , state]) => state === LISTEN && local?.endsWith(`:${wanted}`))
		.flatMap((fields) => (fields[9] === undefined ? [] : [fields[9]]));
}

/** Who listens on the port, as far as this user may see. */
function ownerOf(port: number): string {
	const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) =>
		orEmpty(() => listeningInodes(readFileSync(path, 'utf8'), port)),
	);
	const links = new Set(inodes.map((inode) => `socket:[${inode}]`));
	const pids = orEmpty(() => readdirSync('/proc')).filter((name) => /^\d+$/.test(name));
	const pid = pids.find((candidate) =>
		orEmpty(() => readdirSync(`/proc/${candidate}/fd`)).some((fd) =>
			orEmpty(() => [readlinkSync(`/proc/${candidate}/fd/${fd}`)]).some((link) => links.has(link)),
		),
	);
	const [name] = pid === undefined ? [] : orEmpty(() => [readFileSync(`/proc/${pid}/comm`, 'utf8').trim()]);
	return name === undefined ? 'another program' : `${name} (pid ${pid})`;
}

/**
 * The wanted port, or the next free one above it that is not in `avoided`.
 * @throws Error when the hundred ports from there on are taken.
 */
export async function findPort(wanted: number, avoided: ReadonlySet<number>): Promise<FoundPort> {
	let takenBy: string | null = null;
	for (let port = wanted; port < wanted + MOST_TRIED && port <= 65_535; port += 1) {
		if (!avoided.has(port) && (await isFree(port))) return { port, takenBy };
		takenBy ??= avoided.has(port) ? 'this demo' : ownerOf(port);
	}
	throw new Error(`the ports from ${wanted} to ${wanted + MOST_TRIED - 1} are taken, the first by ${takenBy ?? '?'}`);
}
