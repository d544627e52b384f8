import { SerialPort } from 'serialport';

import type { SerialSettings } from '../../../../config/connection/connection.ts';
import { Fault } from '../../../../core/kernel/fault.ts';
import { createPlainIo, type PlainPort } from '../../port/plain-port.ts';
import { createPolledIo, polledPortOf } from '../../port/polled-port.ts';
import type { PortIo, PortIoListener } from '../../port/port-io.ts';
import type { FoundPort, SerialPorts } from '../../port/serial-ports.ts';
import type { ByteLink, ByteLinkListener } from './byte-link.ts';

/** Longest wait for the driver to let go of a port; an adapter that was pulled may never do so. */
const CLOSE_MS = 2000;

/** The flags a port has after opening, and the driver's fast mode: USB adapters else hold received bytes back for 16 ms. */
const FAST_ANSWERS = { brk: false, cts: false, dsr: false, dtr: true, rts: true, lowLatency: true };

/** A receiver follows a rate that is off by so much; above, a driver has put another rate in the place of the one asked for. */
const MOST_RATE_ERROR = 0.03;

/** An open port of the library. */
export interface OpenPort extends PlainPort {
	readonly isOpen: boolean;
	set(flags: typeof FAST_ANSWERS): Promise<void>;
	getBaudRate(): Promise<{ readonly baudRate: number }>;
	close(): Promise<void>;
}

/** How a port is opened; tests put a port in memory in its place. */
export type OpenSerialPort = (settings: SerialSettings) => Promise<OpenPort>;

const openPort: OpenSerialPort = ({ path, baudRate, parity, dataBits, stopBits }) =>
	SerialPort.binding.open({ path, baudRate, parity, dataBits, stopBits, lock: true });

/** Drivers that cannot run at a rate take the nearest one without a word. */
async function checkRate(port: OpenPort, { path, baudRate }: SerialSettings): Promise<void> {
	const rate = await port.getBaudRate().then(
		(answer) => answer.baudRate,
		// Not every system tells.
		() => baudRate,
	);
	if (Math.abs(rate - baudRate) <= MOST_RATE_ERROR * baudRate) return;
	throw new Fault('rule-violation', `${path} does not run at ${baudRate} baud: its driver offers ${rate} instead`);
}

/**
 * A serial port of the operating system, locked against other programs while it is open. The port is the adapter that was once
 * opened under this path, whatever name it has today.
 */
export function createSerialLink(
	settings: SerialSettings,
	ports: SerialPorts,
	openDevice: OpenSerialPort = openPort,
): ByteLink {
	const { path } = settings;
	let opening: Promise<OpenPort> | null = null;
	let io: PortIo | null = null;
	let endWatch: (() => void) | null = null;
	let isClosed = false;

	async function openFound(found: FoundPort): Promise<OpenPort> {
		try {
			opening = openDevice({ ...settings, path: found.device });
			return await opening;
		} catch (error) {
			opening = null;
			throw await ports.refusal(found, error instanceof Error ? error : new Error(String(error)));
		}
	}

	/** The name may have gone to another adapter between the search and the opening. */
	async function checkSame(found: FoundPort): Promise<void> {
		const { device, file } = await ports.find(path);
		if (device !== found.device || file !== found.file)
			throw new Fault('unreachable', `${path} was plugged in anew while it was being opened`);
	}

	async function open(listener: ByteLinkListener): Promise<void> {
		const found = await ports.find(path);
		const port = await openFound(found);
		await checkSame(found);
		await checkRate(port, settings);
		// Ports that know no such mode say so and lose nothing.
		await port.set(FAST_ANSWERS).catch(() => undefined);
		await ports.opened(found);
		if (isClosed) throw new Fault('unavailable', `${path} was closed while it was being opened`);
		const lose = (error: Error | null): void => {
			stopReading();
			listener.lost(
				error === null ? `${path} vanished: the adapter was unplugged or reset` : `${path} failed: ${error.message}`,
			);
		};
		const heard: PortIoListener = { bytes: (chunk) => listener.bytes(chunk), failed: lose };
		const polled = polledPortOf(port);
		io = polled === null ? createPlainIo(port, heard) : createPolledIo(polled, heard);
		endWatch = ports.watch(found, () => lose(null));
	}

	function stopReading(): void {
		io?.end();
		io = null;
		endWatch?.();
		endWatch = null;
	}

	/** Opening cannot be called off: it is waited for, and undone. */
	async function letGo(): Promise<void> {
		const port = await opening?.catch(() => null);
		opening = null;
		if (port?.isOpen === true) await port.close();
	}

	return {
		open,
		write: (bytes) => io?.write(bytes),
		rest: (ms) => io?.rest(ms),
		async close() {
			isClosed = true;
			stopReading();
			let timer: NodeJS.Timeout | undefined;
			const late = new Promise<void>((resolve) => {
				timer = setTimeout(resolve, CLOSE_MS);
			});
			await Promise.race([letGo().catch(() => undefined), late]);
			clearTimeout(timer);
		},
	};
}
