import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import type { PortFolders } from './port-folders.ts';
import type { SerialPortInfo, UsbAdapter } from './serial-port.ts';

/** Ports looked at, at most. */
const MOST_PORTS = 256;
/** Folders between a port and the USB device it belongs to: the interface, and of some drivers a port of it. */
const MOST_PARENTS = 5;
/** The kernel shows sockets for UARTs that are not fitted as ports of type 0. */
const NOT_FITTED = '0';
/** Numbers of interface and USB place, as the kernel names them: `1-1.2:1.0`. */
const USB_INTERFACE = /^\d+-[\d.]+:\d+\.\d+$/;

async function text(...path: readonly string[]): Promise<string | null> {
	try {
		return (await readFile(join(...path), 'utf8')).trim() || null;
	} catch {
		// Not every port has every file, and an adapter may go while it is looked at.
		return null;
	}
}

const real = (path: string): Promise<string | null> => realpath(path).catch(() => null);

/** Links of a folder by the file they lead to. */
async function linksOf(folder: string): Promise<ReadonlyMap<string, string>> {
	const names = await readdir(folder).catch(() => []);
	const links = new Map<string, string>();
	for (const name of names.toSorted((a, b) => a.localeCompare(b, 'en'))) {
		const target = await real(join(folder, name));
		if (target !== null && !links.has(target)) links.set(target, join(folder, name));
	}
	return links;
}

interface UsbPlace {
	readonly adapter: UsbAdapter;
	/** e.g. `1-1.2` */
	readonly place: string;
}

/** The USB device that a port belongs to; `null` of built-in ports. @param device folder of the port's device below /sys */
async function usbOf(device: string): Promise<UsbPlace | null> {
	let interfaceNumber: string | null = null;
	let folder = device;
	for (let parents = 0; parents < MOST_PARENTS; parents += 1) {
		if (USB_INTERFACE.test(basename(folder))) interfaceNumber ??= await text(folder, 'bInterfaceNumber');
		const vendorId = await text(folder, 'idVendor');
		const productId = await text(folder, 'idProduct');
		if (vendorId !== null && productId !== null) {
			const adapter = {
				vendorId: vendorId.toLowerCase(),
				productId: productId.toLowerCase(),
				serialNumber: await text(folder, 'serial'),
				interfaceNumber: interfaceNumber ?? '00',
				manufacturer: await text(folder, 'manufacturer'),
				product: await text(folder, 'product'),
			};
			return { adapter, place: basename(folder) };
		}
		folder = dirname(folder);
	}
	return null;
}

async function driverOf(device: string): Promise<string | null> {
	try {
		return basename(await readlink(join(device, 'driver')));
	} catch {
		return null;
	}
}

/** The serial ports that this machine has now, by the name of their device file. */
export async function listPorts({ dev, sys }: PortFolders): Promise<readonly SerialPortInfo[]> {
	const classFolder = join(sys, 'class', 'tty');
	const [names, byId, byPath] = await Promise.all([
		readdir(classFolder).catch(() => []),
		linksOf(join(dev, 'serial', 'by-id')),
		linksOf(join(dev, 'serial', 'by-path')),
	]);

	async function portOf(name: string): Promise<SerialPortInfo | null> {
		const folder = await real(join(classFolder, name, 'device'));
		// Consoles and pseudo-terminals have no device.
		if (folder === null || (await text(classFolder, name, 'type')) === NOT_FITTED) return null;
		const device = join(dev, name);
		const file = (await real(device)) ?? device;
		const usb = await usbOf(folder);
		const links = { byId: byId.get(file) ?? null, byPath: byPath.get(file) ?? null };
		return {
			device,
			...links,
			path: links.byId ?? links.byPath ?? device,
			driver: await driverOf(folder),
			usb: usb?.adapter ?? null,
			socket: usb === null ? null : links.byPath === null ? usb.place : basename(links.byPath),
		};
	}

	const ports = await Promise.all(names.slice(0, MOST_PORTS).map(portOf));
	return ports
		.filter((port) => port !== null)
		.toSorted((a, b) => a.device.localeCompare(b.device, 'en', { numeric: true }));
}
