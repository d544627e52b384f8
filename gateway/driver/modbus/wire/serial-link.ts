import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { SerialPort } from 'serialport';
import type { SerialSettings } from '../../../../config/connection/connection.ts';
import { Fault } from '../../../../core/kernel/fault.ts';
import type { ByteLink, ByteLinkListener } from './byte-link.ts';
import { openFault } from './open-fault.ts';
import { findPortHolder } from './port-holder.ts';

/** Longest wait for the driver to let go of a port; an adapter that was pulled may never do so. */
const CLOSE_MS = 2000;

/** The flags a port has after opening, and the driver's fast mode, which the typings of the port do not know. */
const FAST_ANSWERS = { dtr: true, rts: true, lowLatency: true };

/** How often the port is looked for in the file system. */
const WATCH_MS = 1000;

/** The binding has no code for a file that takes no line settings, only the system's words for ENOTTY. */
const NOT_A_PORT = /inappropriate ioctl/i;

/** Why the port could not be opened. The binding reports text only, so the operating system is asked for the code. */
async function explain(path: string, error: Error): Promise<Fault> {
	try {
		await access(path, constants.R_OK | constants.W_OK);
	} catch (denied) {
		const code = denied instanceof Error && 'code' in denied ? String(denied.code) : undefined;
		return openFault(path, code, error);
	}
	const holder = await findPortHolder(path);
	if (holder === null) return openFault(path, NOT_A_PORT.test(error.message) ? 'ENOTTY' : undefined, error);
	const sentence = `${path} is in use by ${holder.name} (pid ${holder.pid}); only one program may use a serial line (EBUSY)`;
	return new Fault('state-conflict', sentence, { cause: error });
}

/** Tells one device file from another that took its name after the adapter was plugged in again. */
async function identity(path: string): Promise<string> {
	try {
		const { ino, rdev } = await stat(path);
		return `${ino} ${rdev}`;
	} catch {
		return 'gone';
	}
}

/**
 * Calls `vanished` once the path names another device or none. The binding itself reads an unplugged adapter for ever: the
 * kernel answers "0 bytes", which it takes for "not yet". @returns what ends the watch
 */
async function watchPort(path: string, vanished: () => void): Promise<() => void> {
	const opened = await identity(path);
	const look = async (): Promise<void> => {
		if ((await identity(path)) === opened) return;
		clearInterval(timer);
		vanished();
	};
	const timer = setInterval(() => void look(), WATCH_MS);
	return () => clearInterval(timer);
}

/** A serial port of the operating system, locked against other programs while it is open. */
export function createSerialLink({ path, baudRate, parity, dataBits, stopBits }: SerialSettings): ByteLink {
	const port = new SerialPort({ path, baudRate, parity, dataBits, stopBits, lock: true, autoOpen: false });

	let endWatch: (() => void) | null = null;

	const openPort = (): Promise<Error | null> =>
		new Promise((resolve) => {
			port.open(resolve);
		});

	async function open(listener: ByteLinkListener): Promise<void> {
		port.on('data', (chunk: Buffer) => listener.bytes(chunk));
		const vanish = (): void => listener.lost(`${path} vanished: the adapter was unplugged or reset`);
		port.on('close', vanish);
		port.on('error', (error) => listener.lost(`${path} failed: ${error.message}`));
		const error = await openPort();
		if (error !== null) throw await explain(path, error);
		// USB adapters else hold received bytes back for 16 ms; ports that know no such thing say so and lose nothing.
		port.set(FAST_ANSWERS, () => undefined);
		endWatch = await watchPort(path, vanish);
		// It may have been closed while its file was looked at.
		if (!port.isOpen) endWatch();
	}

	const close = (): Promise<void> =>
		new Promise((resolve) => {
			endWatch?.();
			const timer = setTimeout(resolve, CLOSE_MS);
			const done = (): void => {
				clearTimeout(timer);
				resolve();
			};
			if (port.isOpen) port.close(done);
			else if (port.closing) port.once('close', done);
			// Opening cannot be called off: it is waited for, and undone.
			else if (port.opening) port.once('open', () => port.close(done));
			else done();
		});

	return { open, write: (bytes) => void port.write(bytes), close };
}
