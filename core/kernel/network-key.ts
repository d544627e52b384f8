import { isIPv6 } from 'node:net';

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** Groups of an IPv6 address that belong to one subscriber (/64). */
const NETWORK_GROUPS = 4;

/** The eight groups of an IPv6 address, `::` filled in. */
function groupsOf(address: string): readonly string[] {
	const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
	const before = head === '' ? [] : head.split(':');
	if (tail === undefined) return before;
	const after = tail === '' ? [] : tail.split(':');
	const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
	return [...before, ...zeros, ...after];
}

/** Link-local (fe80::/10) and unique local (fc00::/7) addresses: their /64 is the whole LAN, and not one machine. */
const isOfTheLan = (first: number): boolean => (first & 0xffc0) === 0xfe80 || (first & 0xfe00) === 0xfc00;

/**
 * Where a client comes from, as far as limits go: IPv4 in one spelling; IPv6 by its /64, because one machine owns all of it, but on
 * the LAN by the whole address.
 */
export function networkKey(address: string): string {
	// Nearly all; what follows is not cheap.
	if (!address.includes(':')) return address;
	const mapped = MAPPED_IPV4.exec(address)?.[1];
	if (mapped !== undefined) return mapped;
	if (!isIPv6(address)) return address;
	const groups = groupsOf(address).map((group) => Number.parseInt(group, 16));
	const counted = isOfTheLan(groups[0] ?? 0) ? groups : groups.slice(0, NETWORK_GROUPS);
	return counted.map((group) => group.toString(16)).join(':');
}
