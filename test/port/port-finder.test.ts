import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { silentLog } from '../../core/kernel/log.ts';
import { openSettingsStore } from '../../core/storage/settings-store.ts';
import { createPortMemory, type KnownAdapters } from '../../gateway/driver/port/port-memory.ts';
import { memoryOfPorts, portsOf } from '../fake/machine-ports.ts';
import { createPortMachine, type FakeAdapter } from '../fake/port-machine.ts';

/** A machine whose ports are plain files: finding does not open them. */
async function newMachine(t: ExecutionContext) {
	const machine = await createPortMachine(t);
	const memory = memoryOfPorts();
	const ports = portsOf(machine.folders, memory);
	t.teardown(() => ports.stop());
	const port = async (name: string): Promise<string> => {
		const file = join(machine.folders.sys, `port-${name}`);
		await writeFile(file, '');
		return file;
	};
	const adapter = async (name: string, place: string, more: Partial<FakeAdapter> = {}): Promise<FakeAdapter> => ({
		name,
		place,
		file: await port(more.serialNumber ?? `${place}-${name}`),
		...more,
	});
	/** The first opening under a path. */
	const open = async (path: string): Promise<string> => {
		const found = await ports.find(path);
		await ports.opened(found);
		return found.device;
	};
	return { machine, memory, ports, adapter, open };
}

test('adapters that swap their names at a boot are still told apart', async (t) => {
	const { machine, ports, adapter, open } = await newMachine(t);
	const [meters, pump] = [
		await adapter('ttyUSB0', '1-1', { serialNumber: 'METERS' }),
		await adapter('ttyUSB1', '1-2', { serialNumber: 'PUMP' }),
	];
	const [metersPath, pumpPath] = [await machine.plug(meters), await machine.plug(pump)];
	await open(metersPath);
	await open(pumpPath);
	await machine.unplug(meters);
	await machine.unplug(pump);
	await machine.plug({ ...meters, name: 'ttyUSB1', place: '1-4' });
	await machine.plug({ ...pump, name: 'ttyUSB0' });
	t.is((await ports.find(metersPath)).device, pumpPath, 'the path of the meters leads to the adapter of the meters');
	t.is((await ports.find(pumpPath)).device, metersPath);
});

test('what is known of adapters outlives a restart', async (t) => {
	const { machine, adapter } = await newMachine(t);
	const path = join(machine.folders.sys, 'serial-ports.json');
	const openMemory = async () =>
		createPortMemory(await openSettingsStore<KnownAdapters>({ path, defaults: { adapters: [] }, log: silentLog }));
	const usb = await adapter('ttyUSB0', '1-1', { serialNumber: 'A1' });
	const device = await machine.plug(usb);
	const before = portsOf(machine.folders, await openMemory());
	await before.opened(await before.find(device));
	await machine.unplug(usb);
	await machine.plug({ ...usb, name: 'ttyUSB7' });
	const after = portsOf(machine.folders, await openMemory());
	t.is((await after.find(device)).device, join(machine.folders.dev, 'ttyUSB7'));
});

test('another adapter under the known name is refused, until it is confirmed', async (t) => {
	const { machine, ports, adapter, open } = await newMachine(t);
	const old = await adapter('ttyUSB0', '1-1', { serialNumber: 'OLD' });
	const path = await machine.plug(old);
	await open(path);
	await machine.unplug(old);
	await t.throwsAsync(ports.find(path), { message: /serial number OLD.*unplugged \(ENODEV\)/ });
	await machine.plug(await adapter('ttyUSB0', '1-1', { serialNumber: 'NEW' }));
	await t.throwsAsync(ports.find(path), { message: /serial number OLD.*now belongs to FTDI.*serial number NEW/ });
	await ports.adopt(path);
	t.is((await ports.find(path)).device, path);
});

test('without a serial number an adapter is itself only in its socket', async (t) => {
	const { machine, ports, adapter, open } = await newMachine(t);
	const plain = await adapter('ttyUSB0', '1-1');
	const path = await machine.plug(plain);
	await open(path);
	await machine.unplug(plain);
	await machine.plug({ ...plain, name: 'ttyUSB3' });
	t.is((await ports.find(path)).device, join(machine.folders.dev, 'ttyUSB3'), 'the same socket under another name');
	await machine.unplug({ ...plain, name: 'ttyUSB3' });
	await machine.plug({ ...plain, place: '1-2' });
	await t.throwsAsync(ports.find(path), { message: /only its socket tells it/ });
});

test('adapters that share a serial number are told apart by their sockets, also when one of them is gone', async (t) => {
	const { machine, ports, adapter, open } = await newMachine(t);
	const clone = { serialNumber: '0001', vendorId: '10c4' };
	const first = await adapter('ttyUSB0', '1-1', clone);
	const path = await machine.plug(first);
	await open(path);
	const second = { ...(await adapter('ttyUSB1', '1-2', clone)), isUnlinked: true };
	await machine.plug(second);
	t.is((await ports.find(path)).device, path);
	await machine.unplug(first);
	await t.throwsAsync(ports.find(path), { message: /only its socket tells it/ });
});

test('a link by-id leads to its adapter wherever it is, and a link by-path to its socket whatever is in it', async (t) => {
	const { machine, ports, adapter, open } = await newMachine(t);
	const first = await adapter('ttyUSB0', '1-1', { serialNumber: 'A1' });
	await machine.plug(first);
	await open(machine.byId(first));
	await open(machine.byPath(first));
	await machine.unplug(first);
	const moved = { ...first, name: 'ttyUSB5', place: '1-3' };
	await machine.plug(moved);
	await machine.plug(await adapter('ttyUSB6', '1-1', { serialNumber: 'B2' }));
	t.is((await ports.find(machine.byId(first))).device, join(machine.folders.dev, 'ttyUSB5'));
	t.is((await ports.find(machine.byPath(first))).device, join(machine.folders.dev, 'ttyUSB6'));
});

test('a built-in port is known by its name', async (t) => {
	const { machine, memory, ports, adapter, open } = await newMachine(t);
	const path = await machine.plug({ ...(await adapter('ttyAMA0', '')), place: null });
	await open(path);
	t.deepEqual(memory.all(), []);
	t.is((await ports.list())[0]?.usb, null);
});

test('ports are listed with their adapter, their lasting name, and the paths that mean them', async (t) => {
	const { machine, ports, adapter, open } = await newMachine(t);
	const usb = await adapter('ttyUSB0', '1-1.2', { serialNumber: 'A1' });
	const device = await machine.plug(usb);
	await machine.plug({ ...(await adapter('ttyUSB10', '1-3', { serialNumber: 'B2' })), isUnlinked: true });
	await machine.plug({ ...(await adapter('ttyUSB2', '1-4')), isUnlinked: true });
	await open(device);
	const list = await ports.list();
	t.deepEqual(
		list.map((port) => port.device.split('/').at(-1)),
		['ttyUSB0', 'ttyUSB2', 'ttyUSB10'],
	);
	t.deepEqual(list[0], {
		device,
		byId: machine.byId(usb),
		byPath: machine.byPath(usb),
		path: machine.byId(usb),
		driver: 'ftdi_sio',
		usb: {
			vendorId: '0403',
			productId: '6001',
			serialNumber: 'A1',
			interfaceNumber: '00',
			manufacturer: 'FTDI',
			product: 'FT232R USB UART',
		},
		socket: machine.byPath(usb).split('/').at(-1) ?? '',
		holder: null,
		knownAs: [device],
	});
	t.is(list[1]?.socket, '1-4');
	t.is(list[1]?.path, list[1]?.device);
});

test('a path that is no serial port is refused before anything is opened', async (t) => {
	const { machine, ports } = await newMachine(t);
	const file = join(machine.folders.sys, 'notes.txt');
	await writeFile(file, '');
	for (const path of ['/dev/null', '/dev/../etc/passwd', file])
		await t.throwsAsync(ports.find(path), { message: `${path} is not a serial port (ENOTTY)` });
});
