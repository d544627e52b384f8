import type { SetTimer } from '../journal/set-timer.ts';
import { type Clock, removalNow } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { DeviceId, GatewayId } from '../kernel/id.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { backoffMs } from '../kernel/retry.ts';
import { createTurns } from '../kernel/turns.ts';
import type { AlertRepository } from './alert-repository.ts';
import { type Alert, ALERT_RETENTION_MS, isOpen, MAX_ALERTS, MAX_ALERTS_OF_ALL } from './alert.ts';

export interface AlertBookDeps {
	readonly alerts: AlertRepository;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	readonly log: Logger;
	/** Of one origin. */
	readonly maxAlerts?: number;
	readonly maxOfAll?: number;
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
	/** Everything that was put is on disk. */
	readonly isStored: () => boolean;
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
	maxOfAll = MAX_ALERTS_OF_ALL,
}: AlertBookDeps): Promise<AlertBook> {
	/** In the order they were raised. */
	const byId = new Map<string, Alert>();
	const counts = new Map<GatewayId, number>();
	const openByDevice = new Map<DeviceId, Map<string, Alert>>();
	/** What the disk has not yet; `null`: to be removed. Never more than alerts and removals of one write. */
	let unwritten = new Map<string, Alert | null>();
	let failures = 0;
	let writing = 0;
	let isStopped = false;
	let timer = { dueMs: Number.POSITIVE_INFINITY, cancel: (): void => undefined };
	const { run: inTurn } = createTurns();

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

	function keep(alert: Alert): void {
		if (!byId.has(alert.id)) counts.set(alert.origin, (counts.get(alert.origin) ?? 0) + 1);
		byId.set(alert.id, alert);
		index(alert);
	}

	function remove(alert: Alert): void {
		byId.delete(alert.id);
		counts.set(alert.origin, (counts.get(alert.origin) ?? 1) - 1);
		index({ ...alert, acknowledgedAt: alert.createdAt, clearedAt: alert.createdAt });
		unwritten.set(alert.id, null);
	}

	/** The oldest of the origin that is settled; its oldest of all only when none is. */
	function removable(origin: GatewayId): Alert | undefined {
		let oldest: Alert | undefined;
		for (const alert of byId.values()) {
			if (alert.origin !== origin) continue;
			if (!isOpen(alert)) return alert;
			oldest ??= alert;
		}
		return oldest;
	}

	/** Whose oldest has to go; `null`: there is room. */
	function crowded(): GatewayId | null {
		let most: GatewayId | null = null;
		for (const [origin, count] of counts) {
			if (count > maxAlerts) return origin;
			if (most === null || count > (counts.get(most) ?? 0)) most = origin;
		}
		return byId.size > maxOfAll ? most : null;
	}

	function removeOld(): void {
		const before = (removalNow(clock) ?? 0) - ALERT_RETENTION_MS;
		for (const alert of byId.values()) {
			if (alert.createdAt >= before) break;
			// One that is open may be of a box that does not know what year it is.
			if (!isOpen(alert)) remove(alert);
		}
		for (let origin = crowded(); origin !== null; origin = crowded()) {
			const alert = removable(origin);
			if (alert === undefined) return;
			if (isOpen(alert)) log.warn('open-alert-dropped', { alert: alert.id, origin });
			remove(alert);
		}
	}

	async function writeUnwritten(): Promise<void> {
		if (unwritten.size === 0) return;
		const batch = unwritten;
		unwritten = new Map();
		const changed = [...batch.values()].filter((alert) => alert !== null);
		const removedIds = [...batch].flatMap(([id, alert]) => (alert === null ? [id] : []));
		writing += 1;
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
		} finally {
			writing -= 1;
		}
	}

	const flush = (): Promise<void> => inTurn(writeUnwritten);

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
		keep(alert);
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
		// Those of other boxes arrive late.
		newestFirst: (filter) =>
			[...byId.values()]
				.filter(filter)
				.toReversed()
				.toSorted((one, other) => other.createdAt - one.createdAt),
		isStored: () => unwritten.size === 0 && writing === 0,
		put(alert, urgency) {
			keep(alert);
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
