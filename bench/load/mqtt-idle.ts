import { connect } from 'node:net';

import { requiredArguments } from './arguments.ts';

/**
 * Program: opens `clients` connections that log in, subscribe to one topic and then only stay; fifty from each address. Says `ready`
 * when all are in, and ends with SIGTERM.
 */
const { port, clients, passwords: given } = requiredArguments(['port', 'clients', 'passwords']);
const passwords = given.split(',');
const PER_ADDRESS = 50;

const text = (value: string): Buffer => {
	const bytes = Buffer.from(value);
	return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};
const packet = (type: number, ...parts: readonly Buffer[]): Buffer => {
	const body = Buffer.concat(parts);
	return Buffer.concat([Buffer.from([type, body.length]), body]);
};

function open(index: number): Promise<void> {
	const username = `bench-${index}`;
	const password = passwords[index] ?? '';
	const login = password === '' ? [] : [text(username), text(password)];
	const flags = password === '' ? 0x02 : 0xc2;
	const localAddress = `127.0.1.${1 + Math.floor(index / PER_ADDRESS)}`;
	const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress });
	return new Promise((resolve, reject) => {
		socket.on('error', reject);
		socket.on('close', () => reject(new Error(`${username} was closed`)));
		socket.on('data', (bytes: Buffer) => {
			if ((bytes.at(-5) ?? 0) === 0x90) resolve();
		});
		socket.write(packet(0x10, text('MQTT'), Buffer.from([4, flags, 0, 0]), text(username), ...login));
		socket.write(packet(0x82, Buffer.from([0, 1]), text(`devices/${username}/command`), Buffer.from([1])));
	});
}

for (let index = 0; index < Number(clients); index += 1) await open(index);
console.log(JSON.stringify({ event: 'ready' }));
process.stdin.resume();
process.once('SIGTERM', () => process.exit(0));
