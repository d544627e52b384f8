import { createServer } from 'node:net';

import { listenOnLoopback } from '../../gateway/simulator/listen.ts';
import { requiredArguments } from './arguments.ts';

/**
 * Program: a Modbus TCP slave that answers any read of `registers` registers with their addresses, as fast as can be: the
 * answers of all requests of one arrival leave in one write.
 */
const { registers } = requiredArguments(['registers']);
const count = Number(registers);
const REQUEST_BYTES = 12;
const HEAD_BYTES = 9;

const answer = Buffer.alloc(HEAD_BYTES + 2 * count);
answer.writeUInt16BE(3 + 2 * count, 4);
answer.set([1, 3, 2 * count], 6);
for (let index = 0; index < count; index += 1) answer.writeUInt16BE(index, HEAD_BYTES + 2 * index);

const server = createServer({ noDelay: true }, (socket) => {
	let rest: Buffer = Buffer.alloc(0);
	socket.on('error', () => socket.destroy());
	socket.on('data', (chunk: Buffer) => {
		const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
		const requests = Math.floor(bytes.length / REQUEST_BYTES);
		const out = Buffer.allocUnsafe(requests * answer.length);
		for (let index = 0; index < requests; index += 1) {
			const at = index * answer.length;
			answer.copy(out, at);
			bytes.copy(out, at, index * REQUEST_BYTES, index * REQUEST_BYTES + 2);
		}
		rest = Buffer.from(bytes.subarray(requests * REQUEST_BYTES));
		if (requests > 0) socket.write(out);
	});
});
console.log(JSON.stringify({ event: 'ready', port: await listenOnLoopback(server, 0) }));
process.once('SIGTERM', () => process.exit(0));
