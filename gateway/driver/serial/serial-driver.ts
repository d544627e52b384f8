import { type LinePlace, portOf } from '../../../config/connection/connection.ts';
import { layeredTemplate } from '../../../config/template/template-layers.ts';
import type { DeviceTemplate } from '../../../config/template/template.ts';
import type { Device } from '../../../core/device/device.ts';
import { Fault, messageOf } from '../../../core/kernel/fault.ts';
import type { DeviceId } from '../../../core/kernel/id.ts';
import { createTurns } from '../../../core/kernel/turns.ts';
import { byAge, isSameCandidate } from '../candidate.ts';
import type { Driver } from '../driver.ts';
import { createRefusals } from '../refusals.ts';
import { createStreamDevice, type StreamDevice, type StreamDeviceDeps, type WantedStream } from './stream-device.ts';
import { streamLineName } from './stream-line.ts';
import type { StreamMeter } from './stream-meter.ts';

export interface SerialDriver extends Driver {
	/** What the line of this name is measured with; `null`: no device of this driver has it. */
	stream(line: string): StreamMeter | null;
	/** Ports may have come or gone: lines that failed are tried at once. */
	retry(): void;
}

export interface SerialDriverDeps extends StreamDeviceDeps {
	/** The template of this key; `null` when it is not installed. */
	readonly template: (key: string) => DeviceTemplate | null;
	/** The one path that stands for all names of a serial port. Absent: each path is a port of its own. */
	readonly portName?: (path: string) => string;
}

/** A device that can be read, and the template as it is installed: the same object for as long as it does not change. */
interface Candidate extends WantedStream {
	readonly base: DeviceTemplate;
}

interface Running {
	readonly wanted: Candidate;
	readonly stream: StreamDevice;
}

/** Who has each port: Modbus devices before others, then the older one. @param placeOf what tells one port from another */
function ownersOf(devices: readonly Device[], placeOf: (line: LinePlace) => string): ReadonlyMap<string, Device> {
	const owners = new Map<string, Device>();
	for (const driver of ['modbus', 'serial'] as const) {
		for (const device of devices) {
			const { connection } = device;
			if (connection?.driver !== driver || (driver === 'modbus' && !('path' in connection.line))) continue;
			const port = placeOf(connection.line);
			if (!owners.has(port)) owners.set(port, device);
		}
	}
	return owners;
}

/** Serial devices that are not Modbus; each has its line for itself. */
export function createSerialDriver(deps: SerialDriverDeps): SerialDriver {
	const { sink, clock, log, portName = (path) => path } = deps;
	const running = new Map<DeviceId, Running>();
	const refusals = createRefusals(sink, clock);
	/** One change after the other: a port is never closed by one and opened by another at once. */
	const { run: inTurn } = createTurns();
	let isStopped = false;

	const placeOf = (line: LinePlace): string => portOf('path' in line ? { path: portName(line.path) } : line);

	function candidateOf(device: Device, owners: ReadonlyMap<string, Device>): Candidate | string | null {
		const { connection, name } = device;
		if (connection?.driver !== 'serial') return null;
		const base = deps.template(connection.template);
		if (base === null) return `the template ${connection.template} is not installed; choose another one for ${name}`;
		if (base.serial === undefined)
			return `the template ${base.key} is of a Modbus device; choose one of a serial device for ${name}`;
		const owner = owners.get(placeOf(connection.line));
		if (owner !== undefined && owner.id !== device.id)
			return `${portOf(connection.line)} is used by ${owner.name}; a serial device that is not Modbus has its line for itself`;
		return { device, connection, base, template: layeredTemplate(base, connection), format: base.serial };
	}

	async function end(id: DeviceId): Promise<void> {
		const known = running.get(id);
		running.delete(id);
		await known?.stream.stop();
	}

	function start(wanted: Candidate): void {
		const { device, base } = wanted;
		try {
			running.set(device.id, { wanted, stream: createStreamDevice(wanted, deps) });
			refusals.forget(device.id);
		} catch (error) {
			log.error('device-not-started', { device: device.uid, reason: messageOf(error) });
			refusals.refuse(device.id, `the template ${base.key} cannot be used: ${messageOf(error)}`);
		}
	}

	/** Sorts the devices into those that can run and those that cannot, with the sentence that says why. */
	function examine(devices: readonly Device[]): {
		readonly fit: ReadonlyMap<DeviceId, Candidate>;
		readonly unfit: ReadonlyMap<DeviceId, string>;
	} {
		const alive = devices.filter(({ deletedAt }) => deletedAt === null).toSorted(byAge);
		const owners = ownersOf(alive, placeOf);
		const fit = new Map<DeviceId, Candidate>();
		const unfit = new Map<DeviceId, string>();
		for (const device of alive) {
			const candidate = candidateOf(device, owners);
			if (typeof candidate === 'string') unfit.set(device.id, candidate);
			else if (candidate !== null) fit.set(device.id, candidate);
		}
		return { fit, unfit };
	}

	async function change(devices: readonly Device[]): Promise<void> {
		if (isStopped) return;
		const { fit, unfit } = examine(devices);
		for (const [id, { wanted }] of running) {
			const next = fit.get(id);
			if (next === undefined || !isSameCandidate(next, wanted)) await end(id);
		}
		refusals.replace(unfit);
		for (const [id, candidate] of fit) if (!running.has(id)) start(candidate);
	}

	return {
		apply(devices) {
			if (isStopped) return Promise.reject(new Fault('state-conflict', 'the serial driver is stopped'));
			return inTurn(() => change(devices));
		},
		lines: () => [...running.values()].map(({ stream }) => stream.stats()),
		stream(line) {
			for (const { wanted, stream } of running.values())
				if (streamLineName(wanted.connection.line) === line) return stream.meter;
			return null;
		},
		retry() {
			for (const { stream } of running.values()) stream.retry();
		},
		async stop() {
			isStopped = true;
			await inTurn(async () => {
				for (const id of running.keys()) await end(id);
			});
		},
	};
}
