import type { DeviceHealth } from '../../core/device/device.ts';
import { type Clock, type EpochMs, toIso } from '../../core/kernel/clock.ts';
import type { DeviceId, GatewayId } from '../../core/kernel/id.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { GatewayRecord } from './gateway-record.ts';

/** A gateway that comes back sooner was never away: a restart, a renewed connection. */
const AWAY_AFTER_MS = 20_000;
const LOOK_EVERY_MS = 5_000;

export interface OfflineWatchDeps {
	readonly gateways: () => readonly Pick<GatewayRecord, 'id' | 'name'>[];
	readonly isOnline: (gateway: GatewayId) => boolean;
	readonly devicesOf: (gateway: GatewayId) => readonly DeviceId[];
	readonly setHealth: (device: DeviceId, health: DeviceHealth) => void;
	readonly clock: Clock;
}

interface Absence {
	readonly since: EpochMs;
	readonly sinceMs: number;
	isTold: boolean;
}

/**
 * While a gateway is away nobody at the hub knows how its devices do, and the hub says so. The gateway's first words after its return
 * bring the health back.
 */
export function createOfflineWatch({ gateways, isOnline, devicesOf, setHealth, clock }: OfflineWatchDeps): Stoppable & {
	/** Looks once; the timer does so each 5 s. */
	look(): void;
} {
	const away = new Map<GatewayId, Absence>();

	function tell({ id, name }: Pick<GatewayRecord, 'id' | 'name'>, absence: Absence): void {
		absence.isTold = true;
		const reason = `gateway ${name || id} is not connected since ${toIso(absence.since)}`;
		for (const device of devicesOf(id)) setHealth(device, { state: 'unknown', since: absence.since, reason });
	}

	function look(): void {
		const nowMs = clock.monotonicMs();
		for (const gateway of gateways()) {
			if (isOnline(gateway.id)) {
				away.delete(gateway.id);
				continue;
			}
			let absence = away.get(gateway.id);
			if (absence === undefined) {
				absence = { since: clock.now(), sinceMs: nowMs, isTold: false };
				away.set(gateway.id, absence);
			}
			if (!absence.isTold && nowMs - absence.sinceMs >= AWAY_AFTER_MS) tell(gateway, absence);
		}
	}

	const timer = setInterval(look, LOOK_EVERY_MS);
	timer.unref();
	return {
		look,
		async stop() {
			clearInterval(timer);
		},
	};
}
