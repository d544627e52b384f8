import type { SetTimer } from '../journal/set-timer.ts';
import { type Clock, removalNow } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { backoffMs } from '../kernel/retry.ts';
import type { AlertRepository } from './alert-repository.ts';
import { type Alert, ALERT_RETENTION_MS, isOpen, MAX_ALERTS } from './alert.ts';

export interface AlertBookDeps {
	readonly alerts: AlertRepository;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	readonly log: Logger;
	readonly maxAlerts?: number;
}

/** All alerts in memory over their repository: whoever raises one never waits for the disk, and the disk is tried until it takes it. */
export interface AlertBook extends Stoppable {
	readonly find: (id: string) => Alert | null;
	/** The open alert of a rule on a device. */
	readonly openOf: (ruleId: string, deviceId: DeviceId) => Alert | null;
	/** All open alerts, or those of one device. */
	readonly open: (deviceId?: DeviceId) => readonly Alert[];
	/** Newest first. */
	readonly newestFirst: (filter: (alert: Alert) => boolean) => readonly Alert[];
	/** Keeps an alert; on its way to the disk at once, or within `SOON_MS`. */
	readonly put: (alert: Alert, urgency: 'now' | 'soon') => void;
	/** Resolves when everything put before is on disk. @throws what the repository throws; the disk is tried again all the same */
	readonly flush: () => Promise<void>;
}

/** What only counts or clears may wait a little: a value that flaps must not wear out the disk. */
const SOON_MS = 5_000;
const FIRST_RETRY_MS = 500;
const MOST_RETRY_MS = 30_000;

/** Loads all alerts. */
export async function openAlertBook({
	alerts,
	clock,
	setTimer,
	log,
	maxAlerts = MAX_ALERTS,
}: AlertBookDeps): Promise<AlertBook> {
	/** In the order they were raised. */
	const byId = new Map<string, Alert>();
	const openByDevice = new Map<DeviceId, Map<string, Alert>>();
	/** What the disk has not yet; `null`: to be removed. Never more than alerts and removals of one write. */
	let unwritten = new Map<string, Alert | null>();
	let failures = 0;
	let isStopped = false;
	let timer = { dueMs: Number.POSITIVE_INFINITY, cancel: (): void => undefined };
	let turn: Promise<unknown> = Promise.resolve();

	function index(alert: Alert): void {
		const ofDevice = openByDevice.get(alert.deviceId);
		if (isOpen(alert)) {
			if (ofDevice === undefined) openByDevice.set(alert.deviceId, new Map([[alert.ruleId, alert]]));
			else ofDevice.set(alert.ruleId, alert);
		} else if (ofDevice?.get(alert.ruleId)?.id === alert.id) {
			ofDevice.delete(alert.ruleId);
			if (ofDevice.size === 0) openByDevice.delete(alert.deviceId);
		}
	}

	function remove(alert: Alert): void {
		byId.delete(alert.id);
		index({ ...alert, acknowledgedAt: alert.createdAt, clearedAt: alert.createdAt });
		unwritten.set(alert.id, null);
	}

	/** The oldest that is settled; the oldest of all only when none is. */
	function removable(): Alert | undefined {
		let oldest: Alert | undefined;
		for (const alert of byId.values()) {
			if (!isOpen(alert)) return alert;
			oldest ??= alert;
		}
		return oldest;
	}

	function removeOld(): void {
		const before = (removalNow(clock) ?? 0) - ALERT_RETENTION_MS;
		for (const alert of byId.values()) {
			if (alert.createdAt >= before) break;
			remove(alert);
		}
		while (byId.size > maxAlerts) {
			const alert = removable();
			if (alert === undefined) return;
			if (isOpen(alert)) log.warn('open-alert-dropped', { alert: alert.id, limit: maxAlerts });
			remove(alert);
		}
	}

	async function writeUnwritten(): Promise<void> {
		if (unwritten.size === 0) return;
		const batch = unwritten;
		unwritten = new Map();
		const changed = [...batch.values()].filter((alert) => alert !== null);
		const removedIds = [...batch].flatMap(([id, alert]) => (alert === null ? [id] : []));
		try {
			await alerts.write(changed, removedIds);
			failures = 0;
		} catch (error) {
			failures += 1;
			unwritten = new Map([...batch, ...unwritten]);
			const retryMs = backoffMs(failures, FIRST_RETRY_MS, MOST_RETRY_MS);
			log.error('alerts-not-stored', { alerts: unwritten.size, reason: messageOf(error), retryMs });
			flushIn(retryMs);
			throw error;
		}
	}

	function flush(): Promise<void> {
		const written = turn.then(writeUnwritten);
		turn = written.catch(() => undefined);
		return written;
	}

	function flushIn(delayMs: number): void {
		const dueMs = clock.monotonicMs() + delayMs;
		if (isStopped || timer.dueMs <= dueMs) return;
		timer.cancel();
		const cancel = setTimer(() => {
			timer.dueMs = Number.POSITIVE_INFINITY;
			// Logged, and tried again, where it fails.
			flush().catch(() => undefined);
		}, delayMs);
		timer = { dueMs, cancel };
	}

	for (const alert of (await alerts.all()).toSorted((one, other) => one.createdAt - other.createdAt)) {
		byId.set(alert.id, alert);
		index(alert);
	}
	removeOld();
	if (unwritten.size > 0) flushIn(SOON_MS);

	return {
		find: (id) => byId.get(id) ?? null,
		openOf: (ruleId, deviceId) => openByDevice.get(deviceId)?.get(ruleId) ?? null,
		open: (deviceId) =>
			deviceId === undefined
				? [...openByDevice.values()].flatMap((ofDevice) => Array.from(ofDevice.values()))
				: [...(openByDevice.get(deviceId)?.values() ?? [])],
		newestFirst: (filter) => [...byId.values()].filter(filter).toReversed(),
		put(alert, urgency) {
			byId.set(alert.id, alert);
			index(alert);
			unwritten.set(alert.id, alert);
			removeOld();
			// While the disk refuses, its own pace is kept.
			if (failures === 0) flushIn(urgency === 'now' ? 0 : SOON_MS);
		},
		flush,
		async stop() {
			isStopped = true;
			timer.cancel();
			await flush();
		},
	};
}
