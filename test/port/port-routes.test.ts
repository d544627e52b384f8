import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import Joi from 'joi';
import test, { type ExecutionContext } from 'ava';

import { portRoutes } from '../../gateway/driver/port/port-routes.ts';
import { portAnswer } from '../../gateway/driver/port/port-schema.ts';
import { bareServer, bearer } from '../fake/bare-server.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { createPortMachine, type FakeAdapter } from '../fake/port-machine.ts';

async function openBox(t: ExecutionContext) {
	const machine = await createPortMachine(t);
	const ports = portsOf(machine.folders);
	t.teardown(() => ports.stop());
	const server = await bareServer(portRoutes, { ports });
	const adapterOf = async (serialNumber: string): Promise<FakeAdapter> => {
		const file = join(machine.folders.sys, serialNumber);
		await writeFile(file, '');
		return { name: 'ttyUSB0', place: '1-1', serialNumber, file };
	};
	const list = async (): Promise<Record<string, unknown>[]> => {
		const { statusCode, payload } = await server.inject({ url: '/ports', headers: bearer('viewer') });
		t.is(statusCode, 200);
		const answer: unknown = JSON.parse(payload);
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- held against its schema just before
		return Joi.attempt(answer, Joi.array().items(portAnswer)) as Record<string, unknown>[];
	};
	const adopt = async (path: unknown, role: 'viewer' | 'admin' = 'admin'): Promise<number> => {
		const { statusCode } = await server.inject({
			method: 'POST',
			url: '/ports/adopt',
			headers: bearer(role),
			payload: { path },
		});
		return statusCode;
	};
	return { machine, ports, adapterOf, list, adopt };
}

test('the ports are listed in the words of the API', async (t) => {
	const { machine, ports, adapterOf, list } = await openBox(t);
	t.deepEqual(await list(), []);
	const adapter = await adapterOf('A1');
	const device = await machine.plug(adapter);
	await ports.opened(await ports.find(device));
	t.deepEqual(await list(), [
		{
			path: machine.byId(adapter),
			device,
			by_id: machine.byId(adapter),
			by_path: machine.byPath(adapter),
			driver: 'ftdi_sio',
			socket: machine.byPath(adapter).split('/').at(-1),
			usb: {
				vendor_id: '0403',
				product_id: '6001',
				serial_number: 'A1',
				interface_number: '00',
				manufacturer: 'FTDI',
				product: 'FT232R USB UART',
			},
			in_use_by: null,
			known_as: [device],
		},
	]);
});

test('a replaced adapter is adopted by who may change devices', async (t) => {
	const { machine, ports, adapterOf, list, adopt } = await openBox(t);
	const old = await adapterOf('OLD');
	const device = await machine.plug(old);
	await ports.opened(await ports.find(device));
	await machine.unplug(old);
	await machine.plug(await adapterOf('NEW'));
	await t.throwsAsync(ports.find(device));
	t.is(await adopt(device, 'viewer'), 403);
	t.is(await adopt(device), 204);
	t.is((await ports.find(device)).device, device);
	t.deepEqual((await list())[0]?.['known_as'], [device]);
});

test('what cannot be adopted is refused', async (t) => {
	const { adopt } = await openBox(t);
	t.is(await adopt('/dev/ttyUSB9'), 404);
	t.is(await adopt('no path'), 422);
	t.is(await adopt(undefined), 422);
});
