import { MOST_WAITING_BYTES, type PortIo, type PortIoListener, READ_BYTES } from './port-io.ts';

/** An open port as every binding of the library has it. */
export interface PlainPort {
	read(buffer: Buffer, offset: number, length: number): Promise<{ readonly bytesRead: number }>;
	write(bytes: Buffer): Promise<void>;
}

const errorOf = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** Reads and writes through the library alone, on systems where its ports show no descriptor. */
export function createPlainIo(port: PlainPort, listener: PortIoListener): PortIo {
	const buffer = Buffer.alloc(READ_BYTES);
	let isOver = false;
	let waitingBytes = 0;
	let writing = Promise.resolve();

	function fail(error: Error | null): void {
		if (isOver) return;
		isOver = true;
		listener.failed(error);
	}

	async function readOn(): Promise<void> {
		try {
			while (!isOver) {
				const { bytesRead } = await port.read(buffer, 0, READ_BYTES);
				if (isOver) return;
				if (bytesRead === 0) fail(null);
				else listener.bytes(buffer.subarray(0, bytesRead));
			}
		} catch (error) {
			fail(errorOf(error));
		}
	}
	void readOn();

	async function writeNext(bytes: Buffer): Promise<void> {
		try {
			if (!isOver) await port.write(bytes);
		} catch (error) {
			fail(errorOf(error));
		} finally {
			waitingBytes -= bytes.length;
		}
	}

	return {
		write(bytes) {
			if (waitingBytes + bytes.length > MOST_WAITING_BYTES) {
				fail(new Error(`the port has not taken ${waitingBytes} bytes`));
				return;
			}
			waitingBytes += bytes.length;
			writing = writing.then(() => writeNext(bytes));
		},
		rest: () => undefined,
		end() {
			isOver = true;
		},
	};
}
