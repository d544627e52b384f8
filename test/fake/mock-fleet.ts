/** Devices with plausible values, without any bus behind them. */
export interface FakeDevice {
	readonly view: {
		readonly id: string;
		readonly device_uid: string;
		readonly name: string;
		readonly [key: string]: unknown;
	};
	/** Stopped answering at this time before now, ms; `null`: answers. */
	readonly silentForMs: number | null;
	readonly silent: boolean;
	readonly seed: number;
	readonly points: readonly FakePoint[];
}

interface FakePoint {
	readonly key: string;
	readonly unit: string;
	readonly mean: number;
	readonly swing: number;
	readonly quality?: 'out_of_range' | 'substituted';
	/** Grows instead of swinging. */
	readonly counter?: true;
}

const PHASES = ['l1', 'l2', 'l3'] as const;

const METER_POINTS: readonly FakePoint[] = [
	...PHASES.map((phase) => ({ key: `voltage_${phase}`, unit: 'V', mean: 231, swing: 3 })),
	...PHASES.map((phase) => ({ key: `current_${phase}`, unit: 'A', mean: 12, swing: 4 })),
	...PHASES.map((phase) => ({ key: `power_${phase}`, unit: 'W', mean: 2_700, swing: 800 })),
	{ key: 'power_total', unit: 'W', mean: 8_100, swing: 2_400 },
	...PHASES.map((phase) => ({ key: `power_factor_${phase}`, unit: '', mean: 0.96, swing: 0.03 })),
	{ key: 'frequency', unit: 'Hz', mean: 50, swing: 0.03 },
	{ key: 'energy_import_total', unit: 'kWh', mean: 48_211, swing: 1, counter: true },
	{ key: 'energy_export_total', unit: 'kWh', mean: 1_204, swing: 1, counter: true },
	...PHASES.map((phase) => ({ key: `voltage_thd_${phase}`, unit: '%', mean: 2.1, swing: 0.3 })),
];

const CLIMATE_POINTS: readonly FakePoint[] = [
	{ key: 'temperature', unit: '°C', mean: 21.4, swing: 1.2 },
	{ key: 'humidity', unit: '%', mean: 44, swing: 3 },
	{ key: 'co2', unit: 'ppm', mean: 6_400, swing: 200, quality: 'out_of_range' },
];

interface Recipe {
	readonly uid: string;
	readonly name: string;
	readonly driver: 'modbus' | 'mqtt';
	readonly state: 'ok' | 'degraded' | 'offline' | 'unknown';
	readonly reason: string | null;
	readonly silentForMs: number | null;
	readonly points: readonly FakePoint[];
}

const RECIPES: readonly Recipe[] = [
	{
		uid: 'meter-main',
		name: 'Main feed',
		driver: 'modbus',
		state: 'ok',
		reason: null,
		silentForMs: null,
		points: METER_POINTS,
	},
	{
		uid: 'meter-hvac',
		name: 'Heat pumps',
		driver: 'modbus',
		state: 'ok',
		reason: null,
		silentForMs: null,
		points: METER_POINTS,
	},
	{
		uid: 'meter-press',
		name: 'Press line 2 with a rather long name',
		driver: 'modbus',
		state: 'degraded',
		reason: '3 of 20 requests got no answer in the last minute. Check wiring and termination of the line.',
		silentForMs: null,
		points: METER_POINTS,
	},
	{
		uid: 'meter-solar',
		name: 'Solar roof east',
		driver: 'modbus',
		state: 'offline',
		reason:
			'No answer from unit 7 on /dev/serial/by-id/usb-FTDI-0 since 13:41. Is it powered, and is the unit id right?',
		silentForMs: 1_860_000,
		points: METER_POINTS,
	},
	{
		uid: 'climate-office',
		name: 'Office climate',
		driver: 'mqtt',
		state: 'ok',
		reason: null,
		silentForMs: null,
		points: CLIMATE_POINTS,
	},
	{ uid: 'spare-unit', name: 'Spare', driver: 'mqtt', state: 'unknown', reason: null, silentForMs: 0, points: [] },
];

const idOf = (index: number): string => `dd000000-0000-4000-8000-${String(index + 1).padStart(12, '0')}`;

function deviceOf(recipe: Recipe, index: number, hull: 'gateway' | 'hub'): FakeDevice {
	const { uid, name, driver, state, reason, silentForMs, points } = recipe;
	const connection =
		driver === 'mqtt' ? { driver } : { driver, template: 'eastron-sdm630', unit_id: index + 1, period_ms: 1_000 };
	return {
		view: {
			id: idOf(index),
			device_uid: uid,
			name,
			device_type: 'meter',
			status: state === 'offline' ? 'offline' : 'online',
			firmware_version: null,
			created_at: '2026-01-01T00:00:00.000Z',
			last_seen_at: silentForMs === 0 ? null : new Date(Date.now() - (silentForMs ?? 0)).toISOString(),
			gateway_id: `a1000000-0000-4000-8000-00000000000${hull === 'hub' ? 1 : 0}`,
			health: { state, since: new Date(Date.now() - 3_600_000).toISOString(), reason },
			connection,
		},
		silentForMs,
		silent: silentForMs !== null,
		seed: index,
		points,
	};
}

export const fakeDevices = (hull: 'gateway' | 'hub'): readonly FakeDevice[] =>
	RECIPES.map((recipe, index) => deviceOf(recipe, index, hull));

/** A site with so many meters. */
export const manyDevices = (count: number, hull: 'gateway' | 'hub'): readonly FakeDevice[] =>
	Array.from({ length: count }, (_, index) =>
		deviceOf(
			{
				uid: `meter-${index}`,
				name: `Meter ${index}`,
				driver: 'modbus',
				state: 'ok',
				reason: null,
				silentForMs: null,
				points: METER_POINTS,
			},
			index,
			hull,
		),
	);

let added = RECIPES.length;

export function addedDevice(name: string, driver: 'modbus' | 'mqtt'): FakeDevice {
	added += 1;
	const recipe = {
		uid: `added-${added}`,
		name,
		driver,
		state: 'unknown',
		reason: null,
		silentForMs: 0,
		points: [],
	} as const;
	return deviceOf(recipe, added, 'gateway');
}

/** The same number for the same instant, so that stored and live values fit together. */
function valueAt(point: FakePoint, seed: number, atMs: number): number {
	const phase = (point.key.codePointAt(point.key.length - 1) ?? 0) + seed * 7;
	if (point.counter === true) return point.mean + (atMs % 86_400_000) / 3_600_000;
	const slow = Math.sin(atMs / 900_000 + phase) * 0.7;
	const fast = Math.sin(atMs / 17_000 + phase * 3) * 0.2 + Math.sin(atMs / 3_100 + phase) * 0.1;
	return point.mean + point.swing * (slow + fast);
}

export function latestOf(device: FakeDevice, nowMs: number) {
	const ageMs = device.silentForMs ?? nowMs % 1_000;
	const values = Object.fromEntries(
		device.points.map((point) => [
			point.key,
			{
				value: valueAt(point, device.seed, nowMs - ageMs),
				quality: device.silent ? 'comm_error' : (point.quality ?? 'good'),
				read_at: new Date(nowMs - ageMs).toISOString(),
				age_ms: ageMs,
				stale_after_ms: 5_000,
				unit: point.unit,
			},
		]),
	);
	return { device_id: device.view.id, device_uid: device.view.device_uid, values };
}

/** A span in 720 steps, with a hole of a fifteenth of it. */
export function seriesOf(device: FakeDevice, key: string, fromMs: number, toMs: number) {
	const point = device.points.find((each) => each.key === key);
	const lengthMs = toMs - fromMs;
	const t: number[] = [];
	const v: (number | null)[] = [];
	for (let atMs = fromMs; atMs < toMs - (device.silentForMs ?? 0); atMs += lengthMs / 720) {
		const age = (toMs - atMs) / lengthMs;
		t.push(Math.round(atMs));
		v.push(point === undefined || (age > 0.55 && age < 0.62) ? null : valueAt(point, device.seed, atMs));
	}
	return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), points: { [key]: { t, v } } };
}

export function uplinkOf(enrolled: boolean, nowMs: number) {
	const ago = (ms: number): string => new Date(nowMs - ms).toISOString();
	return {
		enrolled,
		hub_url: enrolled ? 'https://hub.example:8101' : null,
		gateway_id: enrolled ? 'a1000000-0000-4000-8000-000000000001' : null,
		state: enrolled ? 'online' : 'not-enrolled',
		since: ago(5_025_000),
		last_error: null,
		stored_samples: 18_211_340,
		stored_bytes: 61_440_000,
		oldest_at: ago(86_400_000 * 12),
		acknowledged_through_at: enrolled ? ago(1_400) : null,
		backlog_samples: enrolled ? 212 : 18_211_340,
		declared_lost_samples: 0,
		journal: { bytes: 41_200_000, max_bytes: 268_435_456, write_error: null },
	};
}
