import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import type { PortFolders } from '../../gateway/driver/port/port-folders.ts';

/** An adapter as the kernel would show it. */
export interface FakeAdapter {
	/** Name it gets, e.g. `ttyUSB0`. */
	readonly name: string;
	/** File that stands for the port, e.g. a pseudo-terminal. */
	readonly file: string;
	/** Place on the USB, e.g. `1-1.2`; `null`: a built-in port. */
	readonly place: string | null;
	readonly serialNumber?: string;
	readonly vendorId?: string;
	readonly interfaceNumber?: string;
	/** Without links below /dev/serial, as on machines that run no udev. */
	readonly isUnlinked?: boolean;
}

/** Folders that look like those of a machine with serial adapters. */
export interface PortMachine {
	readonly folders: PortFolders;
	/** @returns the path of the device file */
	plug(adapter: FakeAdapter): Promise<string>;
	unplug(adapter: FakeAdapter): Promise<void>;
	readonly byId: (adapter: FakeAdapter) => string;
	readonly byPath: (adapter: FakeAdapter) => string;
}

const interfaceOf = ({ interfaceNumber = '00' }: FakeAdapter): string => interfaceNumber;

export async function createPortMachine(t: ExecutionContext): Promise<PortMachine> {
	const root = await mkdtemp(join(tmpdir(), 'port-machine-'));
	t.teardown(() => rm(root, { recursive: true, force: true }));
	const folders: PortFolders = {
		dev: join(root, 'dev'),
		sys: join(root, 'sys'),
		proc: '/proc',
		groups: join(root, 'group'),
	};
	const byId = (adapter: FakeAdapter): string => {
		const { serialNumber, vendorId = '0403' } = adapter;
		const parts = ['usb', vendorId, 'Adapter', serialNumber].filter((part) => part !== undefined);
		return join(folders.dev, 'serial', 'by-id', `${parts.join('_')}-if${interfaceOf(adapter)}-port0`);
	};
	const byPath = (adapter: FakeAdapter): string =>
		join(folders.dev, 'serial', 'by-path', `pci-0000:00:14.0-usb-0:${adapter.place}:1.0-port0`);
	const classFolder = (name: string): string => join(folders.sys, 'class', 'tty', name);
	const usbFolder = (place: string): string => join(folders.sys, 'devices', 'pci0000:00', 'usb1', place);

	await mkdir(join(folders.dev, 'serial', 'by-id'), { recursive: true });
	await mkdir(join(folders.dev, 'serial', 'by-path'), { recursive: true });
	await mkdir(classFolder('tty0'), { recursive: true });
	await mkdir(join(folders.sys, 'drivers', 'ftdi_sio'), { recursive: true });
	await writeFile(folders.groups, 'root:x:0:\ndialout:x:20:gateway\n');

	async function plugUsb(adapter: FakeAdapter, place: string): Promise<string> {
		const { name, serialNumber, vendorId = '0403', isUnlinked = false } = adapter;
		const usb = usbFolder(place);
		const port = join(usb, `${place}:1.${Number(interfaceOf(adapter))}`, name);
		await mkdir(port, { recursive: true });
		await writeFile(join(usb, 'idVendor'), `${vendorId}\n`);
		await writeFile(join(usb, 'idProduct'), '6001\n');
		await writeFile(join(usb, 'manufacturer'), 'FTDI\n');
		await writeFile(join(usb, 'product'), 'FT232R USB UART\n');
		if (serialNumber !== undefined) await writeFile(join(usb, 'serial'), `${serialNumber}\n`);
		await writeFile(join(port, '..', 'bInterfaceNumber'), `${interfaceOf(adapter)}\n`);
		await symlink(join(folders.sys, 'drivers', 'ftdi_sio'), join(port, 'driver'));
		if (!isUnlinked) {
			// Of two adapters with one name the newest has the link.
			await rm(byId(adapter), { force: true });
			await symlink(adapter.file, byId(adapter));
			await symlink(adapter.file, byPath(adapter));
		}
		return port;
	}

	return {
		folders,
		byId,
		byPath,
		async plug(adapter) {
			const { name, file, place } = adapter;
			const builtIn = join(folders.sys, 'devices', 'platform', name);
			if (place === null) await mkdir(builtIn, { recursive: true });
			const device = place === null ? builtIn : await plugUsb(adapter, place);
			await mkdir(classFolder(name), { recursive: true });
			await symlink(device, join(classFolder(name), 'device'));
			const path = join(folders.dev, name);
			await symlink(file, path);
			return path;
		},
		async unplug(adapter) {
			await rm(join(folders.dev, adapter.name));
			await rm(classFolder(adapter.name), { recursive: true });
			if (adapter.place === null) return;
			await rm(usbFolder(adapter.place), { recursive: true });
			await rm(byId(adapter), { force: true });
			await rm(byPath(adapter), { force: true });
		},
	};
}
