import { systemTimer } from '../../../core/journal/set-timer.ts';
import { layeredTemplate } from '../../../config/template/template-layers.ts';
import type { DeviceTemplate } from '../../../config/template/template.ts';
import { type Line, type ModbusConnection, portOf } from '../../../config/connection/connection.ts';
import type { Device } from '../../../core/device/device.ts';
import { Fault, messageOf } from '../../../core/kernel/fault.ts';
import type { DeviceId } from '../../../core/kernel/id.ts';
import type { Bus } from '../bus.ts';
import type { Driver } from '../driver.ts';
import { lineName } from './line-name.ts';
import { createPolledLine, type PolledLine, type PolledLineDeps } from './polled-line.ts';

/** How often lines without devices are looked at, ms. */
const WATCH_VISITS_MS = 2000;

export interface ModbusDriver extends Driver {
	/** The bus of a line by the name it has in `lines()`; `null` when no device uses it. */
	bus(name: string): Bus | null;
	/**
	 * The bus of this line, also of one that no device uses: it is opened by the first request and closed some seconds after the last.
	 * Ask for it each time; only a lease keeps a line without devices.
	 */
	busOf(line: Line): Bus;
}

export interface ModbusDriverDeps extends PolledLineDeps {
	/** The template of this key; `null` when it is not installed. */
	readonly template: (key: string) => DeviceTemplate | null;
}

/** A device that can be polled, with all that decides how. */
interface Wanted {
	readonly device: Device;
	readonly connection: ModbusConnection;
	readonly template: DeviceTemplate;
}

interface Running {
	readonly wanted: Wanted;
	readonly line: PolledLine;
}

const byAge = (a: Device, b: Device): number => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);

const isSame = (a: Wanted, b: Wanted): boolean =>
	a.template === b.template && JSON.stringify(a.connection) === JSON.stringify(b.connection);

export function createModbusDriver(deps: ModbusDriverDeps): ModbusDriver {
	const { sink, clock, log, setTimer = systemTimer } = deps;
	const lines = new Map<string, PolledLine>();
	const running = new Map<DeviceId, Running>();
	/** Devices that cannot be polled as they are configured, and what they were told. */
	const rejected = new Map<DeviceId, string>();
	let work: Promise<void> = Promise.resolve();
	let isStopped = false;
	let endWatch: (() => void) | null = null;

	/** Sorts the devices into those that can run and those that cannot, with the sentence that says why. */
	function examine(devices: readonly Device[]): {
		readonly fit: readonly Wanted[];
		readonly unfit: ReadonlyMap<DeviceId, string>;
	} {
		const owners = new Map<string, { readonly line: Line; readonly device: Device }>();
		const fit: Wanted[] = [];
		const unfit = new Map<DeviceId, string>();
		for (const device of devices.toSorted(byAge)) {
			const { connection } = device;
			if (connection?.driver !== 'modbus' || device.deletedAt !== null) continue;
			const template = deps.template(connection.template);
			const owner = owners.get(portOf(connection.line)) ?? { line: connection.line, device };
			if (template === null) {
				unfit.set(
					device.id,
					`the template ${connection.template} is not installed; choose another one for ${device.name}`,
				);
			} else if ('path' in connection.line && lineName(owner.line) !== lineName(connection.line)) {
				unfit.set(
					device.id,
					`${lineName(connection.line)} contradicts ${owner.device.name}, which uses this port as ${lineName(owner.line)}: ` +
						'all devices on a serial line share its settings',
				);
			} else {
				owners.set(portOf(connection.line), owner);
				fit.push({ device, connection, template });
			}
		}
		return { fit, unfit };
	}

	function reject(id: DeviceId, reason: string): void {
		if (rejected.get(id) === reason) return;
		rejected.set(id, reason);
		sink.health(id, { state: 'offline', since: clock.now(), reason });
	}

	/** Lines nobody uses let go of their port before another one may want it. */
	async function closeUnused(): Promise<void> {
		for (const [name, line] of lines) {
			if (!isStopped && (!line.isEmpty || line.isVisited)) continue;
			lines.delete(name);
			await line.stop();
		}
	}

	/** Looks again and again until the last visitor is gone. */
	function watchVisits(): void {
		if (isStopped || endWatch !== null || ![...lines.values()].some(({ isEmpty }) => isEmpty)) return;
		endWatch = setTimer(() => {
			endWatch = null;
			void inTurn(closeUnused).then(watchVisits, () => undefined);
		}, WATCH_VISITS_MS);
	}

	function lineOf(line: Line): PolledLine {
		const name = lineName(line);
		const known = lines.get(name);
		if (known !== undefined) return known;
		const fresh = createPolledLine(line, deps);
		lines.set(name, fresh);
		return fresh;
	}

	function start(wanted: Wanted): void {
		const { device, connection, template } = wanted;
		const line = lineOf(connection.line);
		try {
			line.add(device, connection, layeredTemplate(template, connection));
			running.set(device.id, { wanted, line });
			rejected.delete(device.id);
		} catch (error) {
			log.error('device-not-started', { device: device.uid, reason: messageOf(error) });
			reject(device.id, `the template ${connection.template} cannot be read: ${messageOf(error)}`);
		}
	}

	async function change(devices: readonly Device[]): Promise<void> {
		if (isStopped) return;
		const { fit, unfit } = examine(devices);
		const fitById = new Map(fit.map((wanted) => [wanted.device.id, wanted]));
		for (const [id, { wanted, line }] of running) {
			const next = fitById.get(id);
			if (next !== undefined && isSame(next, wanted)) continue;
			line.remove(id);
			running.delete(id);
		}
		await closeUnused();
		for (const id of rejected.keys()) if (!unfit.has(id)) rejected.delete(id);
		for (const [id, reason] of unfit) reject(id, reason);
		for (const wanted of fit) if (!running.has(wanted.device.id)) start(wanted);
		await closeUnused();
	}

	/** One change after the other: a port is never closed by one and opened by another at once. */
	function inTurn(step: () => Promise<void>): Promise<void> {
		const done = work.then(step);
		work = done.catch((error: unknown) => log.error('apply-failed', { reason: messageOf(error) }));
		return done;
	}

	return {
		apply(devices) {
			if (isStopped) return Promise.reject(new Fault('state-conflict', 'the Modbus driver is stopped'));
			return inTurn(() => change(devices));
		},
		lines: () => [...lines.values()].filter(({ isEmpty }) => !isEmpty).map((line) => line.stats()),
		bus(name) {
			const line = lines.get(name);
			return line === undefined || line.isEmpty ? null : line.bus;
		},
		busOf(wanted) {
			if (isStopped) throw new Fault('state-conflict', 'the Modbus driver is stopped');
			const line = lineOf(wanted);
			line.visited();
			watchVisits();
			return line.bus;
		},
		async stop() {
			isStopped = true;
			endWatch?.();
			await inTurn(async () => {
				running.clear();
				await closeUnused();
			});
		},
	};
}
