import type { Line } from '../../config/connection/connection.ts';
import type { DeviceTemplate } from '../../config/template/template.ts';
import type { Device, DeviceHealth } from '../../core/device/device.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { type DeviceId, deviceId, deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { ReadingDraft } from '../../core/telemetry/reading.ts';
import { createModbusDriver, type ModbusDriverDeps } from '../../gateway/driver/modbus/modbus-driver.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { plainDevice } from '../fake/plain-device.ts';
import { plainPlan, plainReader, point, template } from '../fake/plain-plan.ts';

/** Longer than any stall of a loaded machine: an answer that comes is an answer. */
const PATIENT_MS = 10_000;
/** For units that do not answer. */
export const IMPATIENT_MS = 60;

export const idOf = (unitId: number): DeviceId =>
	deviceId(`00000000-0000-4000-8000-${String(unitId).padStart(12, '0')}`);

export function device(
	unitId: number,
	line: Line,
	more: { readonly periodMs?: number; readonly timeoutMs?: number; readonly template?: string } = {},
): Device {
	return plainDevice({
		id: idOf(unitId),
		uid: deviceUid(`meter-${unitId}`),
		name: `Meter ${unitId}`,
		connection: {
			driver: 'modbus',
			line,
			unitId,
			template: more.template ?? 'plain',
			periodMs: more.periodMs ?? 20,
			timeoutMs: more.timeoutMs ?? PATIENT_MS,
			tuning: { timeoutMode: 'fixed' },
		},
	});
}

export const tcp = (port: number): Line => ({ transport: 'tcp', host: '127.0.0.1', port });
export const rtu = (baudRate: number): Line => ({
	transport: 'rtu',
	path: '/dev/fake',
	baudRate,
	parity: 'none',
	dataBits: 8,
	stopBits: 1,
});

/** A driver whose output can be waited for. */
export function createBench(templates: readonly DeviceTemplate[], more: Partial<ModbusDriverDeps> = {}) {
	const readings: ReadingDraft[] = [];
	const healths: { readonly device: DeviceId; readonly health: DeviceHealth }[] = [];
	const waiters = new Set<() => void>();
	const note = (): void => {
		for (const wake of waiters) wake();
	};
	const driver = createModbusDriver({
		sink: {
			reading(draft) {
				readings.push(draft);
				note();
			},
			health(id, health) {
				healths.push({ device: id, health });
				note();
			},
		},
		clock: systemClock,
		log: silentLog,
		template: (key) => templates.find((known) => known.key === key) ?? null,
		plan: plainPlan,
		createReader: plainReader,
		createLine: createModbusLine(systemClock, portsOf()),
		...more,
	});
	/** Resolves once the condition holds; it is looked at after each reading and each change of health. */
	const until = (holds: () => boolean): Promise<void> =>
		new Promise((resolve) => {
			const look = (): void => {
				if (!holds()) return;
				waiters.delete(look);
				resolve();
			};
			waiters.add(look);
			look();
		});
	const of = (unitId: number): readonly ReadingDraft[] => readings.filter((draft) => draft.device === idOf(unitId));
	const healthOf = (unitId: number): DeviceHealth | undefined =>
		healths.findLast((change) => change.device === idOf(unitId))?.health;
	return { driver, readings, healths, until, of, healthOf };
}

export const three = template([point('a', 0), point('b', 1), point('c', 2)]);
