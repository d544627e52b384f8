import test from 'ava';

import { createOfflineWatch } from '../../cloud/fleet/offline-watch.ts';
import type { DeviceHealth } from '../../core/device/device.ts';
import { newDeviceId, newGatewayId } from '../../core/kernel/id.ts';
import { createManualClock } from '../fake/manual-clock.ts';

function fleet() {
	const clock = createManualClock(Date.UTC(2026, 0, 1, 12));
	const gateway = newGatewayId();
	const device = newDeviceId();
	const told: DeviceHealth[] = [];
	let isOnline = true;
	const watch = createOfflineWatch({
		gateways: () => [{ id: gateway, name: 'Plant North' }],
		isOnline: () => isOnline,
		devicesOf: (id) => (id === gateway ? [device] : []),
		setHealth: (id, health) => id === device && told.push(health),
		clock,
	});
	const after = (ms: number, online: boolean): void => {
		clock.advance(ms);
		isOnline = online;
		watch.look();
	};
	return { told, after, stop: () => watch.stop() };
}

test('devices of a gateway that is away are unknown, with the reason and since when, and it is said once', async (t) => {
	const { told, after, stop } = fleet();
	after(0, false);
	after(19_999, false);
	t.deepEqual(told, []);
	after(1, false);
	after(60_000, false);
	t.is(told.length, 1);
	t.is(told[0]?.state, 'unknown');
	t.is(told[0]?.reason, 'gateway Plant North is not connected since 2026-01-01T12:00:00.000Z');
	await stop();
});

test('a gateway that only reconnects was never away', async (t) => {
	const { told, after, stop } = fleet();
	after(0, false);
	after(15_000, true);
	after(5_000, false);
	after(15_000, false);
	t.deepEqual(told, []);
	await stop();
});
