import { hostname, networkInterfaces } from 'node:os';

/** Names a certificate can carry; a host name may be set to anything. */
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** Most addresses that count; a host of many containers has hundreds, and a certificate has to stay small. */
const MAX_ADDRESSES = 64;

/** The host name as certificates can carry it; '' when they cannot. */
export function machineName(): string {
	const own = hostname().toLowerCase();
	return DNS_NAME.test(own) ? own : '';
}

/** Under which people may reach this machine now: loopback, its name, its name on the local network, and all of its addresses. Sorted. */
export function hostNames(): readonly string[] {
	const addresses = Object.values(networkInterfaces())
		.flatMap((list) => list?.map(({ address }) => address.split('%')[0] ?? '') ?? [])
		.filter((address) => address !== '')
		.toSorted()
		.slice(0, MAX_ADDRESSES);
	const own = machineName();
	const names = own === '' ? [] : [own, ...(own.includes('.') ? [] : [`${own}.local`])];
	return [...new Set(['localhost', '127.0.0.1', '::1', ...names, ...addresses])].toSorted();
}
