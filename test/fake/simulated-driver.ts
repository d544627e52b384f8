import type { Line, ModbusConnection } from '../../config/connection/connection.ts';
import type { DeviceTemplate } from '../../config/template/template.ts';
import type { Device, DeviceHealth } from '../../core/device/device.ts';
import { type DeviceId, deviceId, deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { ReadingDraft } from '../../core/telemetry/reading.ts';
import { lineName } from '../../gateway/driver/modbus/line-name.ts';
import { measuredLine } from '../../gateway/driver/modbus/measured-line.ts';
import {
	createModbusDriver,
	type ModbusDriver,
	type ModbusDriverDeps,
} from '../../gateway/driver/modbus/modbus-driver.ts';
import type { LearntStore } from '../../gateway/driver/modbus/plan/learnt-store.ts';
import { planReads } from '../../gateway/driver/modbus/plan/request-plan.ts';
import { plainDevice } from './plain-device.ts';
import { plainReader } from './plain-plan.ts';
import { createSimulatedLine, type SimulatedLine, type SimulatedSlave } from './simulated-line.ts';
import { createSimulatedTime, type SimulatedTime } from './simulated-time.ts';

export const simulatedId = (index: number): DeviceId =>
	deviceId(`00000000-0000-4000-8000-${String(index).padStart(12, '0')}`);

/** A Modbus device with nothing special about it: template `plain`, each second, a timeout of one. */
export const simulatedDevice = (index: number, line: Line, more: Partial<ModbusConnection> = {}): Device =>
	plainDevice({
		id: simulatedId(index),
		uid: deviceUid(`meter-${index}`),
		name: `Meter ${index}`,
		connection: {
			driver: 'modbus',
			line,
			unitId: index,
			template: 'plain',
			periodMs: 1000,
			timeoutMs: 1000,
			...more,
		},
	});

export interface SimulatedDriver {
	readonly driver: ModbusDriver;
	readonly time: SimulatedTime;
	/** The simulated end of a line; made when the driver opens it first. */
	readonly line: (line: Line) => SimulatedLine;
	readonly readings: readonly ReadingDraft[];
	/** Of one device, with good values only. */
	readonly good: (index: number) => readonly ReadingDraft[];
	readonly healths: (index: number) => readonly DeviceHealth[];
	/** Forgets readings and healths. */
	readonly clear: () => void;
}

export interface SimulatedDriverOptions {
	readonly templates: readonly DeviceTemplate[];
	readonly slave: (line: Line) => SimulatedSlave;
	readonly time?: SimulatedTime;
	readonly memory?: LearntStore;
	/** Requests that a line carries at once. */
	readonly depth?: number;
	/** Absent: each point is one register. */
	readonly createReader?: ModbusDriverDeps['createReader'];
}

/** The Modbus driver with its planner on simulated lines: hours of polling in seconds. */
export function createSimulatedDriver(options: SimulatedDriverOptions): SimulatedDriver {
	const { templates, slave, time = createSimulatedTime(), memory, depth, createReader = plainReader } = options;
	const lines = new Map<string, SimulatedLine>();
	let readings: ReadingDraft[] = [];
	let healths: { readonly device: DeviceId; readonly health: DeviceHealth }[] = [];

	function lineAt(line: Line): SimulatedLine {
		const name = lineName(line);
		const known = lines.get(name) ?? createSimulatedLine(time, slave(line), depth);
		lines.set(name, known);
		return known;
	}

	const driver = createModbusDriver({
		plan: planReads,
		createReader,
		createLine: (line, meter) => measuredLine(lineAt(line).createLine(), meter, time.clock),
		template: (key) => templates.find((known) => known.key === key) ?? null,
		sink: {
			reading: (draft) => void readings.push(draft),
			health: (device, health) => void healths.push({ device, health }),
		},
		clock: time.clock,
		log: silentLog,
		setTimer: time.setTimer,
		...(memory === undefined ? {} : { memory }),
	});
	return {
		driver,
		time,
		line: lineAt,
		get readings() {
			return readings;
		},
		good: (index) => readings.filter(({ device, qualities }) => device === simulatedId(index) && qualities === null),
		healths: (index) => healths.filter(({ device }) => device === simulatedId(index)).map(({ health }) => health),
		clear() {
			readings = [];
			healths = [];
		},
	};
}
