import type { DeviceListener } from '../../core/device/device-events.ts';
import type { DeviceRepository } from '../../core/device/device-repository.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import type { Device, DeviceHealth } from '../../core/device/device.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { DeviceId, GatewayId } from '../../core/kernel/id.ts';
import {
	type DevicesDown,
	type DevicesListed,
	type DevicesSummary,
	devicesMessage,
	parseDevicesUp,
} from '../../core/link/device-messages.ts';
import type { HubLinkFeature, HubSend } from '../../core/link/link-feature.ts';
import { type DeviceDigest, documentDigest, healthDigest, partDigests, partOf } from '../../core/sync/device-digest.ts';

export interface DeviceDownlinkDeps {
	readonly devices: Pick<DeviceRepository, 'all' | 'find'>;
	readonly setHealth: DeviceService['setHealth'];
	readonly send: HubSend;
	readonly clock: Pick<Clock, 'now'>;
}

export interface DeviceDownlink extends HubLinkFeature {
	/** To be added to the listeners of the device service. */
	readonly device: DeviceListener;
	/** What a gateway says of a device of its own; shown, and kept as its word. */
	readonly healthSaid: (device: DeviceId, health: DeviceHealth) => void;
}

/** What a gateway has here. */
interface Known {
	readonly ids: Set<DeviceId>;
	/** Devices that it has said it does not have, as one does that was restored; until it brings them again. */
	readonly unowned: Set<DeviceId>;
}

const NOT_THERE = 'its gateway does not have this device any more';

/** Compares what the hub knows of a gateway's devices with what the gateway says, and asks for what differs. */
export function createDeviceDownlink({ devices, setHealth, send, clock }: DeviceDownlinkDeps): DeviceDownlink {
	/** `null` before the first gateway asks. */
	let index: Map<GatewayId, Known> | null = null;
	/** The word of the gateways; what is shown differs from it while a gateway is away. */
	const healths = new Map<DeviceId, DeviceHealth>();
	/** Documents are replaced, never changed in place. */
	const digests = new WeakMap<Device, string>();

	function note(known: Map<GatewayId, Known>, { id, gatewayId }: Pick<Device, 'id' | 'gatewayId'>): void {
		if (gatewayId === null) return;
		const own = known.get(gatewayId);
		if (own === undefined) known.set(gatewayId, { ids: new Set([id]), unowned: new Set() });
		else own.ids.add(id);
	}

	function knownOf(gateway: GatewayId): Known {
		if (index === null) {
			index = new Map();
			for (const device of devices.all()) note(index, device);
		}
		let known = index.get(gateway);
		if (known === undefined) index.set(gateway, (known = { ids: new Set(), unowned: new Set() }));
		return known;
	}

	function documentDigestOf(device: Device): string {
		let digest = digests.get(device);
		if (digest === undefined) digests.set(device, (digest = documentDigest(device)));
		return digest;
	}

	function digestOf(id: DeviceId): DeviceDigest | null {
		const device = devices.find(id);
		if (device === null) return null;
		return { id, document: documentDigestOf(device), health: healthDigest(healths.get(id) ?? null) };
	}

	/** Shows again what the gateway has said before it was away. */
	function showHealth(ids: Iterable<DeviceId>): void {
		for (const id of ids) {
			const health = healths.get(id);
			if (health !== undefined) setHealth(id, health);
		}
	}

	function compare(gateway: GatewayId, { session, digests: theirs }: DevicesSummary): DevicesDown {
		const { ids, unowned } = knownOf(gateway);
		const owned = [...ids].filter((id) => !unowned.has(id));
		const mine = partDigests(owned.flatMap((id) => digestOf(id) ?? []));
		const parts = theirs.flatMap((digest, part) => (digest === mine[part] ? [] : [part]));
		showHealth(owned.filter((id) => !parts.includes(partOf(id))));
		return { type: 'differ', session, parts };
	}

	/** One by one; what is not in the list the gateway does not have. */
	function compareListed(gateway: GatewayId, { session, part, devices: listed }: DevicesListed): DevicesDown {
		const { ids, unowned } = knownOf(gateway);
		const theirs = new Set(listed.map(({ id }) => id));
		for (const id of ids) {
			if (partOf(id) !== part) continue;
			if (theirs.has(id)) unowned.delete(id);
			else {
				unowned.add(id);
				healths.delete(id);
				setHealth(id, { state: 'unknown', since: clock.now(), reason: NOT_THERE });
			}
		}
		const documents: DeviceId[] = [];
		const health: DeviceId[] = [];
		for (const { id, ...their } of listed) {
			const mine = ids.has(id) ? digestOf(id) : null;
			if (mine?.document !== their.document) documents.push(id);
			else if (mine.health !== their.health) health.push(id);
			else showHealth([id]);
		}
		return { type: 'wanted', session, part, documents, health };
	}

	return {
		hears: {
			async devices(gateway, payload) {
				const said = parseDevicesUp(payload);
				const answer = said.type === 'summary' ? compare(gateway, said) : compareListed(gateway, said);
				send(gateway, 'devices', devicesMessage(answer));
			},
		},
		// It says itself what it knows.
		begin: () => undefined,
		device: {
			changed(device) {
				if (index !== null) note(index, device);
				if (device.gatewayId !== null) index?.get(device.gatewayId)?.unowned.delete(device.id);
				if (device.deletedAt !== null) healths.delete(device.id);
			},
		},
		healthSaid(device, health) {
			healths.set(device, health);
			setHealth(device, health);
		},
	};
}
