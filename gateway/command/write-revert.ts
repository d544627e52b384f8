import { layeredTemplate } from '../../config/template/template-layers.ts';
import type { DeviceTemplate, TemplatePoint, WriteRevert } from '../../config/template/template.ts';
import type { Command } from '../../core/command/command.ts';
import type { CommandListener, CommandService } from '../../core/command/command-service.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import type { Device } from '../../core/device/device.ts';
import type { SetTimer } from '../../core/journal/set-timer.ts';
import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { givenBy, WRITE_COMMAND } from './write-plan.ts';

/** Commands that are looked through for the last write of a point: all that are kept of a device. */
const LOOK_BACK = 1_100;
/** A device that is away is written to as soon as it is back, within this time. */
const TTL_MS = 86_400_000;
/** Wait after a revert that failed, then twice as long, and so on. */
const FIRST_RETRY_MS = 30_000;
const MOST_RETRY_MS = 300_000;

/** In whose name the safe value is written. */
const BY_GATEWAY = { userId: null, email: 'gateway' } as const;

export interface WriteRevertDeps {
	readonly commands: Pick<CommandService, 'create' | 'newest' | 'open'>;
	readonly devices: Pick<DeviceService, 'find' | 'all'>;
	/** The template of this key; `null` when it is not installed. */
	readonly template: (key: string) => DeviceTemplate | null;
	readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

/** A setpoint that is not at its safe value, and the command that left it there. */
interface Setpoint extends WriteRevert {
	readonly point: string;
	readonly command: string;
	readonly since: EpochMs;
}

/** What is known of one device. Instants are monotonic, ms. */
interface Watch {
	cancel: (() => void) | null;
	/** A revert is in the queue. */
	pending: string | null;
	failures: number;
	notBeforeMs: number;
	/** When this process heard of a write: no clock that is set changes that. By id of the command. */
	heardMs: Map<string, number>;
}

const MAKING = 'making';

type RevertPoint = TemplatePoint & { readonly write: { readonly revert: WriteRevert } };

const hasRevert = (point: TemplatePoint): point is RevertPoint => point.write?.revert !== undefined;

/** Where a point stands by what became of its writes, newest first; `null`: at its safe value, or nobody has written it. */
function setpointOf({ key, write }: RevertPoint, newest: readonly Command[]): Setpoint | null {
	const { revert } = write;
	let left: Setpoint | null = null;
	for (const command of newest) {
		const given = givenBy(command);
		if (command.sentAt === null || command.status === 'sent' || !given.has(key)) continue;
		if (command.status === 'executed' && given.get(key) === revert.value) return left;
		// A write that failed may have been taken all the same, but keeps nothing alive.
		left = { ...revert, point: key, command: command.id, since: command.executedAt ?? command.sentAt };
		if (command.status === 'executed') return left;
	}
	return left;
}

/**
 * Writes the safe value of setpoints that nobody keeps alive: `write.revert` of a template. It goes through the queue as any other write, so
 * that it is on disk, waits for a line that is down, heeds who locks the device out, and is seen among the commands of the device.
 */
export function createWriteRevert(
	deps: WriteRevertDeps,
): CommandListener & Stoppable & { readonly resume: () => void } {
	const { commands, devices, clock, setTimer, log } = deps;
	const watches = new Map<DeviceId, Watch>();
	let isStopped = false;

	function revertPoints({ connection }: Device): readonly RevertPoint[] {
		if (connection?.driver !== 'modbus') return [];
		const template = deps.template(connection.template);
		return template === null ? [] : layeredTemplate(template, connection).points.filter(hasRevert);
	}

	function setpointsOf(device: Device): readonly Setpoint[] {
		const points = revertPoints(device);
		if (points.length === 0) return [];
		const newest = commands.newest(device.id, null, LOOK_BACK);
		return points.map((point) => setpointOf(point, newest)).filter((setpoint) => setpoint !== null);
	}

	/** Time that a setpoint has left, ms; the whole of it at most, however the clock was set. */
	function leftMs({ seconds, command, since }: Setpoint, { heardMs }: Watch): number {
		const heard = heardMs.get(command);
		const elapsedMs = heard === undefined ? clock.now() - since : clock.monotonicMs() - heard;
		return seconds * 1000 - Math.max(0, elapsedMs);
	}

	function watchOf(id: DeviceId): Watch {
		const watch = watches.get(id) ?? { cancel: null, pending: null, failures: 0, notBeforeMs: 0, heardMs: new Map() };
		watches.set(id, watch);
		return watch;
	}

	function look(id: DeviceId): void {
		const watch = watchOf(id);
		watch.cancel?.();
		watch.cancel = null;
		const device = devices.find(id);
		const setpoints = device === null ? [] : setpointsOf(device);
		const asked = new Set(setpoints.map(({ command }) => command));
		watch.heardMs = new Map([...watch.heardMs].filter(([command]) => asked.has(command)));
		if (setpoints.length === 0) watches.delete(id);
		if (isStopped || device === null || setpoints.length === 0 || watch.pending !== null) return;
		const dueMs = Math.min(...setpoints.map((setpoint) => leftMs(setpoint, watch)));
		const delayMs = Math.max(0, dueMs, watch.notBeforeMs - clock.monotonicMs());
		watch.cancel = setTimer(() => void revert(id, watch), delayMs);
	}

	function pause(watch: Watch): void {
		watch.pending = null;
		watch.notBeforeMs = clock.monotonicMs() + Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** watch.failures);
		watch.failures += 1;
	}

	async function revert(id: DeviceId, watch: Watch): Promise<void> {
		const device = devices.find(id);
		if (device === null) return;
		const late = setpointsOf(device).filter((setpoint) => leftMs(setpoint, watch) <= 0);
		if (late.length === 0) {
			look(id);
			return;
		}
		// What waits in the queue is looked at again when it is known what became of it.
		const waiting = commands.open(id).map(givenBy);
		const due = late.filter(({ point }) => !waiting.some((given) => given.has(point)));
		if (due.length > 0) await make(device, watch, due);
	}

	async function make(device: Device, watch: Watch, due: readonly Setpoint[]): Promise<void> {
		const points = due.map(({ point, value }) => ({ point, value }));
		watch.pending = MAKING;
		try {
			const draft = { name: WRITE_COMMAND, payload: { points }, ttlMs: TTL_MS };
			const { id } = await commands.create(device, draft, BY_GATEWAY);
			watch.pending = id;
			log.warn('write-reverted', { device: device.uid, points: due.map(({ point }) => point).join(', '), command: id });
		} catch (error) {
			log.error('write-not-reverted', { device: device.uid, reason: messageOf(error) });
			pause(watch);
			look(device.id);
		}
	}

	return {
		changed({ id, device, name, status }) {
			if (name !== WRITE_COMMAND || status === 'sent' || status === 'pending') return;
			const watch = watchOf(device);
			watch.heardMs.set(id, clock.monotonicMs());
			if (watch.pending === id && status !== 'executed') pause(watch);
			else if (watch.pending === id) Object.assign(watch, { pending: null, failures: 0, notBeforeMs: 0 });
			look(device);
		},
		/** What an earlier life of this process has left behind: once devices can be reached. */
		resume() {
			for (const device of devices.all()) if (revertPoints(device).length > 0) look(device.id);
		},
		async stop() {
			isStopped = true;
			for (const { cancel } of watches.values()) cancel?.();
			watches.clear();
		},
	};
}
