import { isIPv4 } from 'node:net';

import { fieldFault } from '../../core/kernel/fault.ts';

/** An IPv4 network. */
export interface Network {
	/** First address as a number. */
	readonly base: number;
	/** Bits that all addresses share, 0 to 32. */
	readonly prefix: number;
}

/** An address of this box in its network, as `os.networkInterfaces` says. */
export interface OwnAddress {
	readonly address: string;
	/** e.g. `192.168.1.20/24`; `null` when the system does not say. */
	readonly cidr: string | null;
	readonly internal: boolean;
}

/** Largest network that is scanned: 1024 addresses. */
const LEAST_PREFIX = 22;
/** Addresses of one scan. */
const MOST_HOSTS = 1024;

const CIDR = /^([\d.]+)\/(\d{1,2})$/;

const numberOf = (address: string): number =>
	address.split('.').reduce((number, part) => number * 256 + Number(part), 0);

const textOf = (number: number): string => [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');

const sizeOf = ({ prefix }: Network): number => 2 ** (32 - prefix);

/** e.g. `192.168.1.0/24` */
export const networkText = (network: Network): string => `${textOf(network.base)}/${network.prefix}`;

/** The network of a text like `192.168.1.20/24`; `null` when it is none. */
export function networkOf(text: string): Network | null {
	const [, address = '', prefixText = ''] = CIDR.exec(text) ?? [];
	const prefix = Number(prefixText);
	if (!isIPv4(address) || prefixText === '' || prefix > 32) return null;
	const size = 2 ** (32 - prefix);
	return { base: Math.floor(numberOf(address) / size) * size, prefix };
}

const isInside = (inner: Network, outer: Network): boolean =>
	inner.base >= outer.base && inner.base + sizeOf(inner) <= outer.base + sizeOf(outer);

/** Private (RFC 1918) and link-local (RFC 3927) ranges: a scan never leaves the site. */
const SITE_RANGES = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'] as const;
/** For tests and for gateways whose devices are simulated on the box itself. */
const LOOPBACK = '127.0.0.0/8';

const rangesOf = (texts: readonly string[]): readonly Network[] => texts.flatMap((text) => networkOf(text) ?? []);

/** Which networks may be scanned. */
export interface NetworkRule {
	readonly addresses: () => readonly OwnAddress[];
	/** Whether the box itself may be looked at. */
	readonly withLoopback: boolean;
}

/** What is scanned: the networks, and their hosts without those of the box. */
export interface HostPlan {
	readonly networks: readonly string[];
	readonly hosts: readonly string[];
}

function ownNetworks({ addresses, withLoopback }: NetworkRule): readonly Network[] {
	const allowed = rangesOf([...SITE_RANGES, ...(withLoopback ? [LOOPBACK] : [])]);
	return addresses().flatMap(({ cidr, internal }) => {
		const network = cidr === null || (internal && !withLoopback) ? null : networkOf(cidr);
		return network !== null && allowed.some((range) => isInside(network, range)) ? [network] : [];
	});
}

/** Hosts of a network: all addresses but the first and the last, where it has such. */
function hostsIn(network: Network): readonly number[] {
	const size = sizeOf(network);
	const [skip, count] = size > 2 ? [1, size - 2] : [0, size];
	return Array.from({ length: count }, (_, k) => network.base + skip + k);
}

function refusal(subnet: string, rule: string): Error {
	return fieldFault('rule-violation', 'subnets', `${subnet} ${rule}`);
}

function allowedNetwork(text: string, own: readonly Network[]): Network {
	const network = networkOf(text);
	if (network === null) throw refusal(text, 'must be an IPv4 network like 192.168.1.0/24');
	if (network.prefix < LEAST_PREFIX)
		throw refusal(text, `is too large: at most ${MOST_HOSTS} addresses, a /${LEAST_PREFIX}`);
	if (own.some((each) => isInside(network, each))) return network;
	const names = own.map(networkText).join(', ');
	throw refusal(
		text,
		`must lie in a private network that this box is part of${names === '' ? '; it is in none' : `: ${names}`}`,
	);
}

/** A network of the box, or the part of it around the box itself when it is larger than may be scanned. */
function around(network: Network, addresses: readonly OwnAddress[]): readonly Network[] {
	if (network.prefix >= LEAST_PREFIX) return [network];
	return addresses
		.filter(({ address }) => isIPv4(address))
		.flatMap(({ address }) => networkOf(`${address}/24`) ?? [])
		.filter((part) => isInside(part, network));
}

/**
 * The hosts of the wanted networks, or of all small private networks of the box when none are named; never those of others.
 * @throws Fault `rule-violation` of `subnets` that names the rule
 */
export function hostPlan(subnets: readonly string[] | null, rule: NetworkRule): HostPlan {
	const own = ownNetworks(rule);
	const addresses = rule.addresses();
	const chosen =
		subnets === null
			? own.flatMap((network) => around(network, addresses))
			: subnets.map((subnet) => allowedNetwork(subnet, own));
	const mine = new Set(addresses.filter(({ internal }) => !internal).map(({ address }) => address));
	const hosts = [...new Set(chosen.flatMap(hostsIn))].map(textOf).filter((host) => !mine.has(host));
	const networks = [...new Set(chosen.map(networkText))];
	if (hosts.length > MOST_HOSTS)
		throw refusal(networks.join(', '), `have ${hosts.length} addresses together; one scan takes at most ${MOST_HOSTS}`);
	if (hosts.length === 0)
		throw refusal(networks.join(', ') || 'The box', 'has no address to be scanned besides its own');
	return { networks, hosts };
}
