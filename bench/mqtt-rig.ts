import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

import { type Child, portOf, startChild } from '../demo/child.ts';
import { loadProgram } from './stamp-devices.ts';

/** Processors of the broker under test and of everything that loads it, where there are two. */
const BROKER_PROCESSOR = '0';
const LOAD_PROCESSOR = '1';

/** As the first line of the command says; the peer gets the same. */
const MEMORY_FLAG = '--max-semi-space-size=4';

export interface BrokerMemory {
	readonly rssBytes: number;
	/** Of V8's heap and of buffers. */
	readonly usedBytes: number;
}

export interface BrokerProcess {
	readonly name: string;
	readonly pid: number;
	readonly port: number;
	/** Of the devices `bench-<n>` and the reader; none where nobody has to log in. */
	readonly passwords: readonly string[];
	/** After a collection; not of Mosquitto. */
	memory(): Promise<BrokerMemory>;
	stop(): Promise<void>;
}

/** Keeps all threads of a process on one processor, where there are two. */
export function pin(pid: number, processor: string): void {
	if (availableParallelism() < 2) return;
	execFileSync('taskset', ['-a', '-c', '-p', processor, String(pid)], { stdio: 'ignore' });
}

/** Starts a program of `bench/load/` on the processor of the load. */
export function startLoad(name: string, fields: Readonly<Record<string, string | number>>): Child {
	const args = Object.entries(fields).map(([key, value]) => `--${key}=${value}`);
	const child = startChild({ name, args: [loadProgram(name), ...args] });
	pin(child.pid, LOAD_PROCESSOR);
	return child;
}

/** What a load program has measured, from its last line of JSON. @throws Error with what it said instead */
export async function measuredBy(child: Child): Promise<Readonly<Record<string, unknown>>> {
	await child.exited;
	const last = child.lastLines().at(-1) ?? '';
	if (!last.startsWith('{')) throw new Error(`${child.name} failed:\n${child.lastLines().join('\n')}`);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON that begins with a brace is an object
	return JSON.parse(last) as Readonly<Record<string, unknown>>;
}

/** `broker`: logins, rules and a durable commit of the message as it came; `drawbridge`: all that a gateway does with it. */
export type BrokerKind = 'stock' | 'broker' | 'drawbridge';

/** Starts a broker in a process of its own: stock aedes, or the local broker of a gateway with logins for this many devices. */
export async function startBrokerProcess(kind: BrokerKind, devices: number): Promise<BrokerProcess> {
	const child = startChild({
		name: kind,
		args: ['--expose-gc', MEMORY_FLAG, loadProgram('mqtt-broker'), '--kind', kind, '--devices', String(devices)],
	});
	try {
		const ready = await child.ready();
		pin(child.pid, BROKER_PROCESSOR);
		const passwords = Array.isArray(ready['passwords']) ? ready['passwords'].map(String) : [];
		return {
			name: kind,
			pid: child.pid,
			port: portOf(ready, 'mqtt_port'),
			passwords,
			memory: () =>
				new Promise((resolve) => {
					const stop = child.onLine((line) => {
						const [, rss, used] = /"rss_bytes":(\d+),"used_bytes":(\d+)/.exec(line) ?? [];
						if (rss === undefined) return;
						stop();
						resolve({ rssBytes: Number(rss), usedBytes: Number(used) });
					});
					child.send('memory');
				}),
			stop: () => child.stop(),
		};
	} catch (error) {
		await child.stop();
		throw error;
	}
}
