import type { Fault } from '../../../core/kernel/fault.ts';
import type { PortHolder, SerialPortInfo } from './serial-port.ts';

/** The device file that stands for a configured path now. */
export interface FoundPort {
	/** What the installer wrote. */
	readonly path: string;
	/** e.g. `/dev/ttyUSB1` */
	readonly device: string;
	/** Inode and device number of the file: another one under the same name is another port. */
	readonly file: string;
}

/** A port of this machine with who has it open. */
export interface SerialPortStatus extends SerialPortInfo {
	/** As far as this process may know. */
	readonly holder: PortHolder | null;
	/** Configured paths that mean this port, whatever name they write. */
	readonly knownAs: readonly string[];
}

/** The serial ports of this machine: whoever opens one finds it here, and hears when it goes. */
export interface SerialPorts {
	/** All that are there now. */
	list(): Promise<readonly SerialPortStatus[]>;
	/**
	 * The port that a configured path means: the adapter that was first opened under it, whatever its name is today.
	 * @throws Fault `unreachable` when it is not there, `state-conflict` when another adapter has taken its name.
	 */
	find(path: string): Promise<FoundPort>;
	/** Looks where these paths lead now. Never rejects. */
	look(paths: readonly string[]): Promise<void>;
	/** These are the paths of all devices, in the order of their right to name a port. */
	use(paths: readonly string[]): void;
	/**
	 * The one path that stands for all names of the port that this path leads to, as it was last looked at; names that led to one port
	 * before it was unplugged still do. A path that was never looked at stands for itself.
	 */
	nameOf(path: string): string;
	/** The port was opened: from now on the path, and what else devices call this port, means this adapter. */
	opened(found: FoundPort): Promise<void>;
	/** Why it could not be opened, in a sentence. */
	refusal(found: FoundPort, error: Error): Promise<Fault>;
	/** Calls `gone` once the device file is another one or none. @returns what ends the watch */
	watch(found: FoundPort, gone: () => void): () => void;
	/** Calls `changed` whenever adapters may have come or gone. @returns what ends it */
	listen(changed: () => void): () => void;
	/** The adapter that has this path now is the right one, although another one was known. @throws Fault `not-found` when none has it. */
	adopt(path: string): Promise<void>;
	stop(): Promise<void>;
}
