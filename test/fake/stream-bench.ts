import { readTemplates } from '../../config/template/template-schema.ts';
import type { DeviceTemplate } from '../../config/template/template.ts';
import type { SerialConnection, StreamLine } from '../../config/connection/connection.ts';
import type { Device, DeviceHealth } from '../../core/device/device.ts';
import { deviceId, deviceUid, type DeviceId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { ReadingDraft, SampleValue } from '../../core/telemetry/reading.ts';
import type { ByteLink, ByteLinkListener } from '../../gateway/driver/modbus/wire/byte-link.ts';
import { createSerialDriver } from '../../gateway/driver/serial/serial-driver.ts';
import { plainDevice } from './plain-device.ts';
import { createSimulatedTime } from './simulated-time.ts';

export const { templates: LIBRARY } = await readTemplates(
	new URL('../../../config/template/', import.meta.url).pathname,
);

/** A wire in memory: what the device says is pushed, what the gateway says is heard. */
interface MemoryWire {
	readonly line: StreamLine;
	readonly written: string[];
	say(bytes: Uint8Array | string): void;
	/** The link breaks. */
	break(reason: string): void;
	readonly isOpen: boolean;
}

export const SERIAL_LINE = {
	transport: 'serial',
	path: '/dev/ttyUSB0',
	baudRate: 9600,
	parity: 'none',
	dataBits: 8,
	stopBits: 1,
} as const satisfies StreamLine;

export const streamDevice = (
	uid: string,
	connection: Partial<SerialConnection> & Pick<SerialConnection, 'template'>,
): Device =>
	plainDevice({
		id: deviceId(`00000000-0000-4000-8000-${Buffer.from(uid.padEnd(6, '0')).toString('hex').slice(0, 12)}`),
		uid: deviceUid(uid),
		connection: { driver: 'serial', line: SERIAL_LINE, periodMs: 1000, timeoutMs: 2000, ...connection },
	});

/** The serial driver on wires in memory, in simulated time. `answer`: what a device says to a request. */
export function createStreamBench({
	templates = LIBRARY,
	answer = () => null,
}: {
	readonly templates?: ReadonlyMap<string, DeviceTemplate>;
	readonly answer?: (request: string) => string | Uint8Array | null;
} = {}) {
	const time = createSimulatedTime();
	const wires: MemoryWire[] = [];
	const readings: ReadingDraft[] = [];
	const healths = new Map<DeviceId, DeviceHealth>();
	let refusal: Error | null = null;

	function createLink(line: StreamLine): ByteLink {
		let listener: ByteLinkListener | null = null;
		const written: string[] = [];
		const wire: MemoryWire = {
			line,
			written,
			say: (bytes) => listener?.bytes(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes)),
			break(reason) {
				const was = listener;
				listener = null;
				was?.lost(reason);
			},
			get isOpen() {
				return listener !== null;
			},
		};
		return {
			open(hears) {
				if (refusal !== null) return Promise.reject(refusal);
				listener = hears;
				wires.push(wire);
				return Promise.resolve();
			},
			write(bytes) {
				const request = bytes.toString('latin1');
				written.push(request);
				const said = answer(request);
				if (said !== null) wire.say(said);
			},
			close() {
				listener = null;
				return Promise.resolve();
			},
		};
	}

	const driver = createSerialDriver({
		template: (key) => templates.get(key) ?? null,
		createLink,
		sink: {
			reading: (draft) => void readings.push(draft),
			health: (id, health) => void healths.set(id, health),
		},
		clock: time.clock,
		log: silentLog,
		setTimer: time.setTimer,
		random: () => 0.5,
	});

	return {
		driver,
		time,
		readings,
		healths,
		/** The newest connection. */
		wire(): MemoryWire {
			const wire = wires.at(-1);
			if (wire === undefined) throw new Error('no line was opened');
			return wire;
		},
		refuse(error: Error | null) {
			refusal = error;
		},
		/** Newest value of each point. */
		values(): Readonly<Record<string, SampleValue>> {
			const all: Record<string, SampleValue> = {};
			for (const { points, values } of readings) points.forEach((key, at) => (all[key] = values[at] ?? null));
			return all;
		},
	};
}

/** A telegram of a P1 port with its checksum. */
export function dsmrTelegram(lines: readonly string[]): string {
	const body = `/ISk5\\2MT382-1000\r\n\r\n${lines.join('\r\n')}\r\n!`;
	let crc = 0;
	for (const byte of Buffer.from(body, 'latin1')) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
	}
	return `${body}${crc.toString(16).toUpperCase().padStart(4, '0')}\r\n`;
}

/** A sentence of NMEA 0183 with its checksum. */
export function nmeaSentence(text: string): string {
	const sum = [...Buffer.from(text)].reduce((xor, byte) => xor ^ byte, 0);
	return `$${text}*${sum.toString(16).toUpperCase().padStart(2, '0')}\r\n`;
}
