import type { ClockStatus } from '../../core/time/time-keeper.ts';
import type { DeviceTemplate } from '../../config/template/template.ts';
import type { Device, DeviceHealth } from '../../core/device/device.ts';
import type { EpochMs } from '../../core/kernel/clock.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { LatestValue } from '../../core/telemetry/latest-values.ts';
import { type LineDiagnosis, type LineNameOf, lineOf, type UnitDiagnosis } from './line-diagnosis.ts';

/** Values of one device in the report; the first ones of its template. */
const MOST_VALUES = 500;
/** A value this many periods old is worth a sentence. */
const STALE_PERIODS = 5;
const STALE_FROM_MS = 60_000;

/** A value as it stood when the report was made. */
export interface ReportedValue extends LatestValue {
	readonly point: string;
	readonly name: string;
	readonly unit: string;
	readonly ageMs: number;
}

export interface ReportedDevice {
	readonly device: Device;
	readonly health: DeviceHealth;
	/** Name of its line; `null`: it has none, or is not polled. */
	readonly line: string | null;
	readonly unit: UnitDiagnosis | null;
	/** `null`: it has none, or it is not installed. */
	readonly template: Pick<DeviceTemplate, 'key' | 'manufacturer' | 'model'> | null;
	readonly values: readonly ReportedValue[];
	readonly mistakes: readonly string[];
}

export interface ReportedGateway {
	readonly id: GatewayId;
	readonly site: string;
	readonly hostname: string;
	readonly version: string;
	/** Whether it has a hub. */
	readonly isEnrolled: boolean;
}

/** What is handed over at the end of an installation: what is connected, how well, and what is still wrong. */
export interface CommissioningReport {
	readonly createdAt: EpochMs;
	/** Who had it made. */
	readonly createdBy: string;
	readonly gateway: ReportedGateway;
	readonly clock: ClockStatus;
	readonly lines: readonly LineDiagnosis[];
	readonly devices: readonly ReportedDevice[];
	/** What is still to be put right, of the whole box: sentences. */
	readonly mistakes: readonly string[];
}

export interface CommissioningReportDeps {
	readonly gateway: () => ReportedGateway;
	readonly clock: () => ClockStatus;
	readonly lines: () => readonly LineDiagnosis[];
	/** The name under which a device's line is among `lines`. */
	readonly lineNameOf: LineNameOf;
	readonly devices: () => readonly Device[];
	readonly healthOf: (device: Device) => DeviceHealth;
	readonly latestOf: (device: Device) => ReadonlyMap<string, LatestValue> | null;
	/** `undefined`: it is not installed. */
	readonly template: (key: string) => DeviceTemplate | undefined;
	/** Mistakes in template files. */
	readonly templateMistakes: readonly string[];
}

const templateKeyOf = ({ connection }: Device): string | null =>
	connection === null || connection.driver === 'mqtt' ? null : connection.template;

function valuesOf(
	template: DeviceTemplate | undefined,
	latest: ReadonlyMap<string, LatestValue> | null,
	now: EpochMs,
): readonly ReportedValue[] {
	const points = new Map(template?.points.map((point) => [point.key, point]));
	return [...(latest ?? [])].slice(0, MOST_VALUES).map(([point, { value, quality, readAt }]) => ({
		point,
		name: points.get(point)?.name ?? point,
		unit: points.get(point)?.unit ?? '',
		value,
		quality,
		readAt,
		ageMs: Math.max(0, now - readAt),
	}));
}

/** The oldest a value of this device should be, ms; `null`: nobody knows. */
function usualAgeMs({ connection }: Device): number | null {
	if (connection === null || connection.driver === 'mqtt') return null;
	return Math.max(STALE_FROM_MS, STALE_PERIODS * connection.periodMs);
}

function deviceMistakes(
	device: Device,
	health: DeviceHealth,
	hasTemplate: boolean,
	values: readonly ReportedValue[],
): readonly string[] {
	const mistakes: string[] = [];
	const key = templateKeyOf(device);
	if (health.state !== 'ok') mistakes.push(health.reason ?? `nothing is known of ${device.name} yet`);
	if (key !== null && !hasTemplate) mistakes.push(`the template ${key} is not installed`);
	if (device.connection !== null && values.length === 0) mistakes.push(`${device.name} has not sent any value`);
	const doubtful = values.filter(({ quality }) => quality !== 'good');
	if (doubtful.length > 0) {
		const shown = doubtful.slice(0, 5).map(({ point, quality }) => `${point} (${quality})`);
		mistakes.push(`${doubtful.length} of ${values.length} values are not good: ${shown.join(', ')}`);
	}
	const limitMs = usualAgeMs(device);
	const youngestMs = Math.min(...values.map(({ ageMs }) => ageMs));
	if (limitMs !== null && values.length > 0 && youngestMs > limitMs)
		mistakes.push(`the newest value of ${device.name} is ${Math.round(youngestMs / 1000)} s old`);
	return mistakes;
}

/** Makes the report; nothing is asked of any device for it. */
export function createCommissioningReport(deps: CommissioningReportDeps) {
	function reported(device: Device, lines: readonly LineDiagnosis[], now: EpochMs): ReportedDevice {
		const key = templateKeyOf(device);
		const template = key === null ? undefined : deps.template(key);
		const health = deps.healthOf(device);
		const values = valuesOf(template, deps.latestOf(device), now);
		const line = lineOf(device, deps.lineNameOf);
		const units = lines.find(({ stats }) => stats.line === line)?.units ?? [];
		return {
			device,
			health,
			line,
			unit: units.find(({ devices }) => devices.some(({ id }) => id === device.id)) ?? null,
			template: template ?? null,
			values,
			mistakes: deviceMistakes(device, health, template !== undefined, values),
		};
	}

	return (now: EpochMs, createdBy: string): CommissioningReport => {
		const lines = deps.lines();
		const clock = deps.clock();
		const gateway = deps.gateway();
		const devices = deps
			.devices()
			.filter(({ deletedAt }) => deletedAt === null)
			.toSorted((a, b) => (a.uid < b.uid ? -1 : 1))
			.map((device) => reported(device, lines, now));
		const mistakes = [
			...(clock.reason === null ? [] : [`clock: ${clock.reason}`]),
			...(gateway.isEnrolled ? [] : ['this gateway is not enrolled with a hub']),
			...(devices.length === 0 ? ['no device is set up'] : []),
			...lines.flatMap(({ stats, health }) =>
				health.verdict === 'good' ? [] : health.reasons.map((reason) => `${stats.line}: ${reason}`),
			),
			...deps.templateMistakes,
		];
		return { createdAt: now, createdBy, gateway, clock, lines, devices, mistakes };
	};
}

export type MakeCommissioningReport = ReturnType<typeof createCommissioningReport>;
