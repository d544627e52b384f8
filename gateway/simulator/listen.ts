import type { AddressInfo, Server } from 'node:net';

/**
 * Listens on loopback and returns the port; 0 takes a free one.
 * @throws the error of `listen`, e.g. EADDRINUSE.
 */
export async function listenOnLoopback(server: Server, port: number): Promise<number> {
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(port, '127.0.0.1', () => {
			server.off('error', reject);
			resolve();
		});
	});
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has this address
	return (server.address() as AddressInfo).port;
}
