import { systemTimer } from '../../../core/journal/set-timer.ts';
import { layeredTemplate } from '../../../config/template/template-layers.ts';
import type { DeviceTemplate } from '../../../config/template/template.ts';
import { type Line, type ModbusConnection, portOf } from '../../../config/connection/connection.ts';
import type { Device } from '../../../core/device/device.ts';
import { Fault, fieldFault, messageOf } from '../../../core/kernel/fault.ts';
import type { DeviceId } from '../../../core/kernel/id.ts';
import { createTurns } from '../../../core/kernel/turns.ts';
import type { Bus } from '../bus.ts';
import { byAge, isSameCandidate } from '../candidate.ts';
import type { DevicePollStats, Driver } from '../driver.ts';
import { createRefusals } from '../refusals.ts';
import { lineName } from './line-name.ts';
import { draftNeed, type PolledDraft } from './plan/draft-need.ts';
import { budgetOf, type LineBudget } from './plan/bus-budget.ts';
import { type Learnt, NOTHING_LEARNT } from './plan/learnt.ts';
import type { LearntStore } from './plan/learnt-store.ts';
import { phaseOf } from './plan/poll-groups.ts';
import { createPolledLine, type PolledDevice, type PolledLine, type PolledLineDeps } from './polled-line.ts';
import { sharePorts } from './port-sharing.ts';

/** How often lines without devices are looked at, ms. */
const WATCH_VISITS_MS = 2000;

const USE_SERIAL = 'such a device is connected with the driver serial';

export interface ModbusDriver extends Driver {
	/** The bus of a line by the name it has in `lines()`; `null` when no device uses it. */
	bus(name: string): Bus | null;
	/** The line with its port under the one name that it has here: devices that name one port differently share its bus. */
	readonly lineNamed: (line: Line) => Line;
	/**
	 * The bus of this line, also of one that no device uses: it is opened by the first request and closed some seconds after the last.
	 * Ask for it each time; only a lease keeps a line without devices.
	 *
	 * A serial port has one setting at a time. Devices are polled with theirs; whoever wants another one takes a lease, and the polls
	 * wait until it ends.
	 */
	busOf(line: Line): Bus;
	/** How reading each device goes. */
	readonly polled: () => readonly DevicePollStats[];
	/** What the devices of each line need of its time. */
	readonly budgets: () => readonly LineBudget[];
	/** The same for one line, with this device in place of the saved one or in addition. */
	readonly budgetWith: (draft: PolledDraft) => LineBudget;
	/** What was learnt about a device; `null` when it is not polled. */
	readonly learnt: (id: DeviceId) => Learnt | null;
	/** Forgets it: the device is asked everything again. */
	readonly forget: (id: DeviceId) => Promise<void>;
}

export interface ModbusDriverDeps extends Omit<PolledLineDeps, 'learnt' | 'nextPhase'> {
	/** The template of this key; `null` when it is not installed. */
	readonly template: (key: string) => DeviceTemplate | null;
	/** Where what was learnt is kept; absent: nowhere. */
	readonly memory?: LearntStore;
	/** The one path that stands for all names of a serial port. Absent: each path is a port of its own. */
	readonly portName?: (path: string) => string;
}

/** A device that can be polled; its own template is made when it starts. */
type Candidate = Omit<PolledDevice, 'template'>;

interface Running {
	readonly wanted: PolledDevice;
	readonly line: PolledLine;
}

export function createModbusDriver(deps: ModbusDriverDeps): ModbusDriver {
	const { sink, clock, log, memory, setTimer = systemTimer, portName = (path) => path } = deps;
	const lines = new Map<string, PolledLine>();
	const running = new Map<DeviceId, Running>();
	const refusals = createRefusals(sink, clock);
	/** One change after the other: a port is never closed by one and opened by another at once. */
	const { run: inTurn } = createTurns();
	let isStopped = false;
	let started = 0;
	let endWatch: (() => void) | null = null;

	const lineDeps: PolledLineDeps = {
		...deps,
		nextPhase() {
			started += 1;
			return phaseOf(started);
		},
		createLine: sharePorts(deps.createLine, () => lines.values()),
		learnt(id, learnt) {
			const known = running.get(id);
			if (known !== undefined) memory?.save(id, known.wanted.template, learnt);
		},
	};

	const lineNamed = (line: Line): Line => ('path' in line ? { ...line, path: portName(line.path) } : line);

	/** Sorts the devices into those that can run and those that cannot, with the sentence that says why. */
	function examine(devices: readonly Device[]): {
		readonly fit: readonly Candidate[];
		readonly unfit: ReadonlyMap<DeviceId, string>;
	} {
		const owners = new Map<string, { readonly line: Line; readonly written: Line; readonly device: Device }>();
		const fit: Candidate[] = [];
		const unfit = new Map<DeviceId, string>();
		for (const device of devices.toSorted(byAge)) {
			if (device.connection?.driver !== 'modbus' || device.deletedAt !== null) continue;
			const { line: written } = device.connection;
			const line = lineNamed(written);
			const connection: ModbusConnection = { ...device.connection, line };
			const template = deps.template(connection.template);
			const owner = owners.get(portOf(line)) ?? { line, written, device };
			if (template === null) {
				unfit.set(
					device.id,
					`the template ${connection.template} is not installed; choose another one for ${device.name}`,
				);
			} else if (template.serial !== undefined) {
				unfit.set(device.id, `the template ${template.key} is of a serial device that is not Modbus; ${USE_SERIAL}`);
			} else if ('path' in line && lineName(owner.line) !== lineName(line)) {
				unfit.set(
					device.id,
					`${lineName(written)} contradicts ${owner.device.name}, which uses this port as ${lineName(owner.written)}: ` +
						'all devices on a serial line share its settings',
				);
			} else {
				owners.set(portOf(line), owner);
				fit.push({ device, connection, base: template });
			}
		}
		return { fit, unfit };
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
			void inTurn(closeUnused).then(watchVisits, (error: unknown) =>
				log.error('line-not-closed', { reason: messageOf(error) }),
			);
		}, WATCH_VISITS_MS);
	}

	function lineOf(line: Line): PolledLine {
		const name = lineName(line);
		const known = lines.get(name);
		if (known !== undefined) return known;
		const fresh = createPolledLine(line, lineDeps);
		lines.set(name, fresh);
		return fresh;
	}

	function start(wanted: PolledDevice, learnt: Learnt): void {
		const { device, connection } = wanted;
		const line = lineOf(connection.line);
		try {
			line.add(wanted, learnt);
			running.set(device.id, { wanted, line });
			refusals.forget(device.id);
		} catch (error) {
			log.error('device-not-started', { device: device.uid, reason: messageOf(error) });
			refusals.refuse(device.id, `the template ${connection.template} cannot be read: ${messageOf(error)}`);
		}
	}

	async function startAll(candidates: readonly Candidate[]): Promise<void> {
		const wanted = candidates.map(({ device, connection, base }) => {
			const template = layeredTemplate(base, connection);
			return { device, connection, base, template };
		});
		const known = await Promise.all(
			wanted.map(async ({ device, template }) => (await memory?.load(device.id, template)) ?? NOTHING_LEARNT),
		);
		for (const [index, each] of wanted.entries()) start(each, known[index] ?? NOTHING_LEARNT);
	}

	function end(id: DeviceId): void {
		running.get(id)?.line.remove(id);
		running.delete(id);
	}

	async function change(devices: readonly Device[]): Promise<void> {
		if (isStopped) return;
		const { fit, unfit } = examine(devices);
		const fitById = new Map(fit.map((wanted) => [wanted.device.id, wanted]));
		for (const [id, { wanted }] of running) {
			const next = fitById.get(id);
			if (next === undefined || !isSameCandidate(next, wanted)) end(id);
		}
		await closeUnused();
		refusals.replace(unfit);
		await startAll(fit.filter(({ device }) => !running.has(device.id)));
		await closeUnused();
		await memory?.keepOnly(new Set(devices.filter(({ deletedAt }) => deletedAt === null).map(({ id }) => id)));
		watchVisits();
	}

	const used = (): readonly PolledLine[] => [...lines.values()].filter(({ isEmpty }) => !isEmpty);

	return {
		apply(devices) {
			if (isStopped) return Promise.reject(new Fault('state-conflict', 'the Modbus driver is stopped'));
			return inTurn(() => change(devices));
		},
		lines: () => used().map((line) => line.stats()),
		polled: () => used().flatMap((line) => line.devices()),
		budgets: () => used().map((line) => budgetOf(line.bus.name, line.needs(), line.bus.depth)),
		budgetWith(draft) {
			const { connection, device } = draft;
			const base = deps.template(connection.template);
			if (base === null) {
				throw fieldFault('rule-violation', 'connection.template', `${connection.template} is not installed`);
			}
			if (base.serial !== undefined) {
				const sentence = `${base.key} is of a serial device that is not Modbus; ${USE_SERIAL}`;
				throw fieldFault('rule-violation', 'connection.template', sentence);
			}
			const template = layeredTemplate(base, connection);
			const name = lineName(lineNamed(connection.line));
			const saved = lines.get(name)?.needs() ?? [];
			const cost = saved.find((need) => device !== null && need.device === device)?.cost;
			const others = saved.filter((need) => device === null || need.device !== device);
			const needs = [...others, draftNeed(draft, template, deps.plan, cost)];
			return budgetOf(name, needs, connection.line.transport === 'tcp' ? (connection.line.depth ?? 1) : 1);
		},
		bus(name) {
			const line = lines.get(name);
			return line === undefined || line.isEmpty ? null : line.bus;
		},
		busOf(wanted) {
			if (isStopped) throw new Fault('state-conflict', 'the Modbus driver is stopped');
			const line = lineOf(lineNamed(wanted));
			line.visited();
			watchVisits();
			return line.bus;
		},
		lineNamed,
		learnt: (id) => running.get(id)?.line.learnt(id) ?? null,
		forget: (id) =>
			inTurn(async () => {
				const known = running.get(id);
				end(id);
				await memory?.forget(id);
				if (known !== undefined && !isStopped) start(known.wanted, NOTHING_LEARNT);
			}),
		async stop() {
			isStopped = true;
			endWatch?.();
			await inTurn(async () => {
				running.clear();
				await closeUnused();
				await memory?.stop();
			});
		},
	};
}
