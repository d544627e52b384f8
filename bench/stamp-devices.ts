import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { type Child, startChild } from '../demo/child.ts';
import type { MeterSettings } from '../demo/demo-settings.ts';

/** Points of each device, all of them in one read. */
export const POINTS_PER_DEVICE = 100;
const TEMPLATE = 'bench-stamp-100';

/** Path of a compiled program of `bench/load/`. */
export const loadProgram = (name: string): string => fileURLToPath(new URL(`load/${name}.js`, import.meta.url));

/** The key of a register: of those that hold the clock, and of those that hold a measured value. */
const keyOf = (address: number, stamps: number): string => `${address < stamps ? 'stamp' : 'value'}_${address}`;

const stampTemplate = (stamps: number): object => ({
	manufacturer: 'Bench',
	model: 'Stamp 100',
	category: 'bench',
	transports: ['tcp'],
	max_registers: 125,
	guard_ms: 0,
	points: Array.from({ length: POINTS_PER_DEVICE }, (_, address) => ({
		key: keyOf(address, stamps),
		name: `Register ${address}`,
		function: 3,
		address,
		count: 1,
		type: 'uint16',
		byte_order: 'AB',
	})),
});

/** Writes the template of the stamp devices below `folder` and returns the settings that name its place. */
export function writeStampTemplate(
	folder: string,
	stamps: number,
): { readonly templates: { readonly folder: string } } {
	const templates = join(folder, 'templates');
	mkdirSync(templates, { recursive: true });
	writeFileSync(join(templates, `${TEMPLATE}.json`), JSON.stringify(stampTemplate(stamps)));
	return { templates: { folder: templates } };
}

/** One device for each port, as the gateway's settings name them. */
export const stampDevices = (ports: readonly number[], periodMs: number): readonly MeterSettings[] =>
	ports.map((port, index) => ({
		uid: `bench-${index}`,
		name: `Bench ${index}`,
		device_type: 'bench',
		connection: {
			driver: 'modbus',
			line: { transport: 'tcp', host: '127.0.0.1', port },
			unit_id: 1,
			template: TEMPLATE,
			period_ms: periodMs,
			timeout_ms: 900,
		},
	}));

/** Starts the slaves. @param own hears of the process before it is ready. @returns a port for each device */
export async function startStampSlave(
	devices: number,
	stamps: number,
	own: (child: Child) => void,
): Promise<readonly number[]> {
	const child = startChild({
		name: 'slave',
		args: [loadProgram('stamp-slave'), '--devices', String(devices), '--stamps', String(stamps)],
	});
	own(child);
	const { ports } = await child.ready();
	if (!Array.isArray(ports)) throw new Error('the slave names no ports');
	return ports.map(Number);
}
