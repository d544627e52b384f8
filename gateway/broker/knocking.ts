import { DEVICE_UID_PATTERN } from '../../core/device/device-schema.ts';
import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import type { MqttCredentials } from '../../core/mqtt/mqtt.ts';

/** Somebody who tried to log in under a name that nobody here knows. Never what was tried as password. */
export interface Knocker {
	readonly name: string;
	readonly clientId: string;
	readonly address: string;
	readonly firstSeenAt: EpochMs;
	readonly lastSeenAt: EpochMs;
	readonly count: number;
	/** The name can be a device's address, so the device can be adopted as it is. */
	readonly isAdoptable: boolean;
}

export interface KnockingDeps {
	readonly clock: Clock;
	/** Something or somebody has this name already: a device, or a login. */
	readonly isKnown: (name: string) => boolean;
}

export const MAX_KNOCKERS = 100;
/** One host that tries names does not push out the devices of others. */
const MAX_PER_ADDRESS = 20;
/** What is kept of names and identifiers; a device's address is not longer. */
export const MAX_NAME_LENGTH = 128;

/** The list of devices that knock: bounded, in memory, those that were quiet longest give way. */
export function createKnocking({ clock, isKnown }: KnockingDeps) {
	/** In the order of the last try. */
	const byName = new Map<string, Knocker>();

	function quietest(address: string): string | undefined {
		const theirs = [...byName.values()].filter((knocker) => knocker.address === address);
		return theirs.length > MAX_PER_ADDRESS ? theirs[0]?.name : undefined;
	}

	function dropOne(address: string): void {
		const [oldest] = byName.keys();
		const name = quietest(address) ?? (byName.size > MAX_KNOCKERS ? oldest : undefined);
		if (name !== undefined) byName.delete(name);
	}

	return {
		/** To be told of each login that was refused; notes it when nothing is known under the name. */
		refused({ username, clientId, remoteAddress }: Omit<MqttCredentials, 'password'>): void {
			if (isKnown(username)) return;
			const name = username.slice(0, MAX_NAME_LENGTH);
			const before = byName.get(name);
			byName.delete(name);
			byName.set(name, {
				name,
				clientId: clientId.slice(0, MAX_NAME_LENGTH),
				address: remoteAddress,
				firstSeenAt: before?.firstSeenAt ?? clock.now(),
				lastSeenAt: clock.now(),
				count: (before?.count ?? 0) + 1,
				isAdoptable: DEVICE_UID_PATTERN.test(username),
			});
			dropOne(remoteAddress);
		},
		/** The latest first; without those that have become known meanwhile. */
		all: (): readonly Knocker[] => [...byName.values()].filter(({ name }) => !isKnown(name)).toReversed(),
		find: (name: string): Knocker | null => byName.get(name) ?? null,
		/** `false` when it was not there. */
		forget: (name: string): boolean => byName.delete(name),
	};
}

export type Knocking = ReturnType<typeof createKnocking>;
