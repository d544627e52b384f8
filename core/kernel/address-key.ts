import { isIPv6 } from 'node:net';

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The eight groups of an IPv6 address, `::` filled in. */
function groupsOf(address: string): readonly string[] {
	const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
	const before = head === '' ? [] : head.split(':');
	if (tail === undefined) return before;
	const after = tail === '' ? [] : tail.split(':');
	const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
	return [...before, ...zeros, ...after];
}

/** Key of a client's address: IPv4 as it is, IPv6 by its /64, because one machine owns all of it. */
export function addressKey(address: string): string {
	// Nearly all; what follows is not cheap.
	if (!address.includes(':')) return address;
	const mapped = MAPPED_IPV4.exec(address)?.[1];
	if (mapped !== undefined) return mapped;
	if (!isIPv6(address)) return address;
	return groupsOf(address)
		.slice(0, 4)
		.map((group) => Number.parseInt(group, 16).toString(16))
		.join(':');
}
