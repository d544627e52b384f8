import test from 'ava';

import { epochMs } from '../../core/kernel/clock.ts';
import { type DeviceId, newDeviceId, newGatewayId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { HistoryQuery } from '../../core/telemetry/history-repository.ts';
import { restoreLatest } from '../../core/telemetry/latest-restore.ts';
import { createLatestValues } from '../../core/telemetry/latest-values.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const origin = newGatewayId();

const reading = (device: DeviceId, at: number, point: string, value: number): Reading => ({
	device,
	readAt: epochMs(at),
	telemetryType: 'default',
	points: [point],
	values: [value],
	qualities: null,
	origin,
	epoch: 1,
	firstSeq: at,
});

test('after a start the newest values of each device are those of the history, with their own instants', async (t) => {
	const [quiet, damaged, talking] = [newDeviceId(), newDeviceId(), newDeviceId()];
	const stored = [
		reading(quiet, 10, 'power', 1),
		reading(quiet, 20, 'power', 2),
		reading(quiet, 15, 'voltage', 230),
		reading(talking, 5, 'power', 7),
	];
	const latest = createLatestValues({ clock: createManualClock(1_000) });
	latest.apply(reading(talking, 50, 'power', 8));
	const history = {
		async range({ device, limit }: HistoryQuery) {
			if (device === damaged) throw new Error('the chunk is damaged');
			return stored
				.filter((one) => one.device === device)
				.toSorted((one, other) => other.readAt - one.readAt)
				.slice(0, limit);
		},
	};
	const { signal } = new AbortController();

	await restoreLatest({ devices: [quiet, damaged, talking], history, latest, log: silentLog, signal });

	t.deepEqual(Object.fromEntries(latest.of(quiet) ?? []), {
		power: { value: 2, quality: 'good', readAt: epochMs(20) },
		voltage: { value: 230, quality: 'good', readAt: epochMs(15) },
	});
	t.is(latest.of(talking)?.get('power')?.value, 8);
	t.is(latest.of(damaged), null);
});
