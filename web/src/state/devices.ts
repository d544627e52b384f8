import { type ReadonlySignal, type Signal, signal } from '@preact/signals';

import type { Api } from '../api.ts';
import type {
	DeviceHealthEvent,
	DevicePageView,
	DeviceStatusEvent,
	DeviceView,
	LatestView,
	Quality,
	TelemetryEvent,
} from '../wire.ts';
import { type Pace, createPaced } from './paced.ts';
import type { ServerClock } from './server-clock.ts';

export interface PointValue {
	readonly value: unknown;
	readonly quality: Quality;
	/** Epoch ms, by the server's clock. */
	readonly readAtMs: number;
	readonly unit: string;
	/** Age up to which a good value counts as fresh, ms; Infinity for what a device sends by itself. */
	readonly freshMs: number;
}

export type PointValues = ReadonlyMap<string, PointValue>;

/** Devices of the page that is shown, and the newest value of each of their points. */
export interface Devices {
	readonly page: ReadonlySignal<DevicePageView | null>;
	/** The device that was looked at last, whether the page holds it or not. */
	readonly opened: ReadonlySignal<DeviceView | null>;
	readonly valuesOf: (deviceId: string) => ReadonlySignal<PointValues>;
	/** Asks for a page of devices; their latest values follow in the order of their names. */
	readonly loadPage: (page: number) => Promise<void>;
	/** Asks for one device and opens it. */
	readonly open: (deviceId: string) => Promise<void>;
	/** Asks again for whatever is shown: after a time in which nothing was heard. */
	readonly refresh: () => Promise<void>;
	readonly hearTelemetry: (event: TelemetryEvent) => void;
	readonly hearHealth: (event: DeviceHealthEvent) => void;
	readonly hearStatus: (event: DeviceStatusEvent) => void;
	readonly clear: () => void;
}

const DEVICES_PER_PAGE = 100;
/** Well below the requests per second that the server takes of one address, which other tabs need as well. */
const LATEST_PACE: Pace = { burst: 20, everyMs: 100, parallel: 4 };

const order = new Intl.Collator(document.documentElement.lang, { numeric: true });

/** Instants come as ISO text or as epoch ms, by transport. */
function instantMs(at: unknown, fallbackMs: number): number {
	if (typeof at === 'number') return at;
	const parsed = typeof at === 'string' ? Date.parse(at) : Number.NaN;
	return Number.isNaN(parsed) ? fallbackMs : parsed;
}

/** Events carry neither; a point seen for the first time gets them from the latest values. */
const UNKNOWN = { unit: '', freshMs: Number.POSITIVE_INFINITY } as const;

function merged(known: PointValues, event: TelemetryEvent, readAtMs: number): PointValues {
	const next = new Map(known);
	for (const [point, value] of Object.entries(event.data)) {
		if (point === 'timestamp' || point === 'telemetry_type') continue;
		const before = known.get(point);
		if (before !== undefined && before.readAtMs > readAtMs) continue;
		const quality = event.quality?.[point] ?? 'good';
		const { unit, freshMs } = before ?? UNKNOWN;
		next.set(point, { value, quality, readAtMs, unit, freshMs });
	}
	return next;
}

const named = (id: string) => (device: DeviceView) => device.id === id || device.device_uid === id;

export function createDevices({ api, clock }: { readonly api: Api; readonly clock: ServerClock }): Devices {
	const page = signal<DevicePageView | null>(null);
	const opened = signal<DeviceView | null>(null);
	const values = new Map<string, Signal<PointValues>>();
	const askLatest = createPaced(loadLatest, LATEST_PACE);

	function slot(deviceId: string): Signal<PointValues> {
		let found = values.get(deviceId);
		if (found === undefined) values.set(deviceId, (found = signal<PointValues>(new Map())));
		return found;
	}

	function change(id: string, patch: Partial<DeviceView>): void {
		const isIt = named(id);
		const patched = (device: DeviceView): DeviceView => (isIt(device) ? { ...device, ...patch } : device);
		if (page.value !== null) page.value = { ...page.value, items: page.value.items.map(patched) };
		if (opened.value !== null) opened.value = patched(opened.value);
	}

	function idOf({ device_id, device_uid }: TelemetryEvent): string | undefined {
		const isIt = named(device_uid);
		return device_id ?? [...(page.value?.items ?? []), ...(opened.value === null ? [] : [opened.value])].find(isIt)?.id;
	}

	async function loadPage(number: number): Promise<void> {
		const answer = await api.get<DevicePageView>(`/api/v1/devices?page=${number}&size=${DEVICES_PER_PAGE}`);
		const items = answer.items.toSorted((one, other) => order.compare(one.name, other.name));
		page.value = { ...answer, items };
		askLatest.clear();
		askLatest.add(items.map(({ id }) => id));
	}

	async function open(deviceId: string): Promise<void> {
		opened.value = await api.get<DeviceView>(`/api/v1/devices/${encodeURIComponent(deviceId)}`);
		await loadLatest(opened.value.id);
	}

	async function loadLatest(deviceId: string): Promise<void> {
		const latest = await api.get<LatestView>(`/api/v1/devices/${encodeURIComponent(deviceId)}/latest`);
		const known = slot(deviceId);
		const next = new Map(known.value);
		for (const [point, { value, quality, read_at, age_ms, stale_after_ms, unit }] of Object.entries(latest.values)) {
			const readAtMs = instantMs(read_at, clock.now.value - age_ms);
			clock.learn(readAtMs + age_ms);
			const before = next.get(point);
			const newest = before !== undefined && before.readAtMs > readAtMs ? before : { value, quality, readAtMs };
			next.set(point, { ...newest, unit: unit ?? '', freshMs: stale_after_ms ?? Number.POSITIVE_INFINITY });
		}
		known.value = next;
	}

	return {
		page,
		opened,
		valuesOf: slot,
		loadPage,
		open,
		async refresh() {
			if (page.value !== null) await loadPage(page.value.page);
			if (opened.value !== null) await open(opened.value.id);
		},
		hearTelemetry(event) {
			const id = idOf(event);
			if (id === undefined) return;
			const readAtMs = instantMs(event.data['timestamp'], clock.now.value);
			const known = slot(id);
			const before = known.value;
			known.value = merged(before, event, readAtMs);
			if (known.value.size > before.size) askLatest.add([id]);
		},
		hearHealth({ device_id, state, since, reason }) {
			change(device_id, { health: { state, since, reason } });
		},
		hearStatus({ device_uid, status }) {
			change(device_uid, { status });
		},
		clear() {
			page.value = null;
			opened.value = null;
			askLatest.clear();
			values.clear();
		},
	};
}
