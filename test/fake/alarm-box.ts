import { join } from 'node:path';

import { openAlarmService, type AlarmService } from '../../core/alarm/alarm-service.ts';
import type { AlertRepository } from '../../core/alarm/alert-repository.ts';
import { openAlertRuleStore } from '../../core/alarm/alert-rule-store.ts';
import { openAlertStore } from '../../core/alarm/alert-store.ts';
import { createAlertStamps } from '../../core/alarm/alert-stamps.ts';
import type { Alert } from '../../core/alarm/alert.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { SettleInstant } from '../../core/time/settle.ts';
import { type DeviceBox, deviceBox, GATEWAY } from './device-box.ts';
import { createManualTimer, type ManualTimer } from './manual-timer.ts';

export interface AlarmBox extends DeviceBox {
	readonly timer: ManualTimer;
	readonly alarms: () => AlarmService;
	/** Alerts that people were told of. */
	readonly told: readonly Alert[];
	/** Batches the disk has written. */
	readonly writes: readonly (readonly Alert[])[];
	/** How instants are settled; as they are unless a test says otherwise. */
	readonly time: { settle: SettleInstant; nextSeq: number };
	/** While set, the disk refuses. */
	readonly disk: { refusal: string | null };
	/** A second life on the same folder. */
	readonly restart: (options?: { readonly isOrderly: boolean }) => Promise<void>;
}

/** The alarm service over the real stores in a temporary folder, with devices and a clock that moves when told. */
export async function alarmBox(log: Logger = silentLog): Promise<AlarmBox> {
	const box = await deviceBox();
	const timer = createManualTimer();
	const told: Alert[] = [];
	const writes: Alert[][] = [];
	const time: AlarmBox['time'] = { settle: ({ at }) => at, nextSeq: 1 };
	const disk: { refusal: string | null } = { refusal: null };

	async function open() {
		const folder = join(box.folder, 'alert-rules');
		const rules = await openAlertRuleStore({ folder, node: GATEWAY, gatewayId: GATEWAY, log });
		const store = await openAlertStore(join(box.folder, 'alerts'), GATEWAY, log);
		const alerts: AlertRepository = {
			all: () => store.all(),
			async write(changed, removedIds) {
				if (disk.refusal !== null) throw new Error(disk.refusal);
				await store.write(changed, removedIds);
				writes.push([...changed]);
			},
		};
		const service = await openAlarmService({
			rules,
			alerts,
			devices: box.devices,
			node: GATEWAY,
			gatewayId: GATEWAY,
			hasHub: () => true,
			onConflict: () => undefined,
			notify: (alert) => void told.push(alert),
			stamps: createAlertStamps({
				settle: (stamp) => time.settle(stamp),
				next: () => ({ epoch: 1, seq: time.nextSeq }),
			}),
			clock: timer.clock,
			setTimer: timer.setTimer,
			log,
		});
		const remove = box.devices.listen(service.device);
		return {
			service,
			async close(isOrderly: boolean) {
				remove();
				if (isOrderly) await service.stop();
				await store.stop();
				await rules.stop();
			},
		};
	}

	let life = await open();
	return {
		...box,
		timer,
		alarms: () => life.service,
		told,
		writes,
		time,
		disk,
		async restart({ isOrderly } = { isOrderly: true }) {
			await life.close(isOrderly);
			life = await open();
		},
		close: async () => {
			await life.close(true);
			await box.close();
		},
	};
}
