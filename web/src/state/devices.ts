import { type ReadonlySignal, type Signal, signal } from '@preact/signals';

import type { Api } from '../api.ts';
import type { DeviceHealthEvent, DevicePageView, DeviceView, LatestView, Quality, TelemetryEvent } from '../wire.ts';
import type { ServerClock } from './server-clock.ts';

export interface PointValue {
	readonly value: unknown;
	readonly quality: Quality;
	/** Epoch ms, by the server's clock. */
	readonly readAtMs: number;
	readonly unit: string;
}

export type PointValues = ReadonlyMap<string, PointValue>;

/** Devices of the page that is shown, and the newest value of each of their points. */
export interface Devices {
	readonly page: ReadonlySignal<DevicePageView | null>;
	readonly valuesOf: (deviceId: string) => ReadonlySignal<PointValues>;
	readonly loadPage: (page: number) => Promise<void>;
	/** Asks for one device, and adds it to the page if it is not there. */
	readonly loadDevice: (deviceId: string) => Promise<void>;
	readonly loadLatest: (deviceId: string) => Promise<void>;
	readonly hearTelemetry: (event: TelemetryEvent) => void;
	readonly hearHealth: (event: DeviceHealthEvent) => void;
	readonly clear: () => void;
}

export const DEVICES_PER_PAGE = 100;

/** Instants come as ISO text or as epoch ms, by transport. */
function instantMs(at: unknown, fallbackMs: number): number {
	if (typeof at === 'number') return at;
	const parsed = typeof at === 'string' ? Date.parse(at) : Number.NaN;
	return Number.isNaN(parsed) ? fallbackMs : parsed;
}

function merged(known: PointValues, event: TelemetryEvent, readAtMs: number): PointValues {
	const next = new Map(known);
	for (const [point, value] of Object.entries(event.data)) {
		if (point === 'timestamp' || point === 'telemetry_type') continue;
		const before = known.get(point);
		if (before !== undefined && before.readAtMs > readAtMs) continue;
		next.set(point, { value, quality: event.quality?.[point] ?? 'good', readAtMs, unit: before?.unit ?? '' });
	}
	return next;
}

export function createDevices({ api, clock }: { readonly api: Api; readonly clock: ServerClock }): Devices {
	const page = signal<DevicePageView | null>(null);
	const values = new Map<string, Signal<PointValues>>();

	function slot(deviceId: string): Signal<PointValues> {
		let found = values.get(deviceId);
		if (found === undefined) values.set(deviceId, (found = signal<PointValues>(new Map())));
		return found;
	}

	const byAnyId = (id: string): DeviceView | undefined =>
		page.value?.items.find((device) => device.id === id || device.device_uid === id);

	function change(id: string, patch: Partial<DeviceView>): void {
		const known = page.value;
		const device = byAnyId(id);
		if (known === null || device === undefined) return;
		const items = known.items.map((each) => (each === device ? { ...each, ...patch } : each));
		page.value = { ...known, items };
	}

	return {
		page,
		valuesOf: slot,
		async loadPage(number) {
			page.value = await api.get<DevicePageView>(`/api/v1/devices?page=${number}&size=${DEVICES_PER_PAGE}`);
		},
		async loadDevice(deviceId) {
			const device = await api.get<DeviceView>(`/api/v1/devices/${encodeURIComponent(deviceId)}`);
			if (byAnyId(device.id) !== undefined) return change(device.id, device);
			const known = page.value ?? { items: [], total: 0, page: 1, pages: 1 };
			page.value = { ...known, items: [...known.items, device] };
		},
		async loadLatest(deviceId) {
			const latest = await api.get<LatestView>(`/api/v1/devices/${encodeURIComponent(deviceId)}/latest`);
			const known = slot(deviceId);
			const next = new Map(known.value);
			for (const [point, { value, quality, read_at, age_ms, unit }] of Object.entries(latest.values)) {
				const readAtMs = instantMs(read_at, clock.now.value - age_ms);
				clock.learn(readAtMs + age_ms);
				const before = next.get(point);
				if (before !== undefined && before.readAtMs > readAtMs) {
					next.set(point, { ...before, unit: unit ?? '' });
					continue;
				}
				next.set(point, { value, quality, readAtMs, unit: unit ?? '' });
			}
			known.value = next;
		},
		hearTelemetry(event) {
			const device = byAnyId(event.device_id ?? event.device_uid);
			const id = device?.id ?? event.device_id;
			if (id === undefined) return;
			const readAtMs = instantMs(event.data['timestamp'], clock.now.value);
			const known = slot(id);
			known.value = merged(known.value, event, readAtMs);
		},
		hearHealth({ device_id, state, since, reason }) {
			change(device_id, { health: { state, since, reason } });
		},
		clear() {
			page.value = null;
			values.clear();
		},
	};
}
