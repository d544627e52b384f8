import { BlockList, isIP } from 'node:net';

import * as x509 from '@peculiar/x509';

/** Names that an authority may sign for: what is below these names, and in these networks. */
interface NameLimits {
	readonly names: readonly string[];
	readonly networks: readonly (readonly [address: string, bits: number])[];
}

const NAME_CONSTRAINTS = '2.5.29.30';

/** Networks that are nobody's on the internet: private, loopback, link-local, shared (RFC 1918, 3927, 4193, 4291, 6598). */
const NETWORKS: NameLimits['networks'] = [
	['10.0.0.0', 8],
	['100.64.0.0', 10],
	['127.0.0.0', 8],
	['169.254.0.0', 16],
	['172.16.0.0', 12],
	['192.168.0.0', 16],
	['::1', 128],
	['fc00::', 7],
	['fe80::', 10],
];

/** Names that no public authority signs for (RFC 6761, 6762, 8375). */
const LOCAL_NAMES = ['localhost', 'local', 'internal', 'lan', 'home.arpa'];

/** The local network, and the present name of this machine. */
export const localLimits = (machineName: string): NameLimits => ({
	names: machineName === '' ? LOCAL_NAMES : [...LOCAL_NAMES, machineName],
	networks: NETWORKS,
});

/** Tag, length and content (X.690, definite form); contents here stay below 64 kB. */
function der(tag: number, ...parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
	const content = Buffer.concat(parts);
	const { length } = content;
	const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
	return Uint8Array.from([tag, ...size, ...content]);
}

const SEQUENCE = 0x30;
const PERMITTED = 0xa0;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

const groups = (text: string): readonly number[] =>
	text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));

/** The bytes of an address: four, or sixteen of one with at most one `::`. */
function addressBytes(address: string): Uint8Array<ArrayBuffer> {
	if (isIP(address) === 4) return Uint8Array.from(address.split('.').map(Number));
	const [head = '', tail = ''] = address.split('::');
	const [before, after] = [groups(head), groups(tail)];
	const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
	return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

const maskBytes = (bits: number, length: number): Uint8Array<ArrayBuffer> =>
	Uint8Array.from({ length }, (_, index) => (0xff00 >> Math.min(8, Math.max(0, bits - index * 8))) & 0xff);

const dnsName = (name: string): Uint8Array<ArrayBuffer> =>
	der(SEQUENCE, der(DNS_NAME, Uint8Array.from(Buffer.from(name, 'latin1'))));

function network([address, bits]: NameLimits['networks'][number]): Uint8Array<ArrayBuffer> {
	const bytes = addressBytes(address);
	return der(SEQUENCE, der(IP_ADDRESS, bytes, maskBytes(bits, bytes.length)));
}

/**
 * The extension that keeps an authority to these names (RFC 5280 section 4.2.1.10). Not critical, against the letter: browsers and OpenSSL
 * obey it either way, and the TLS of small devices refuses an authority with a critical extension that it does not know.
 */
export function limitExtension({ names, networks }: NameLimits): x509.Extension {
	const content = der(SEQUENCE, der(PERMITTED, ...names.map(dnsName), ...networks.map(network)));
	return new x509.Extension(NAME_CONSTRAINTS, false, content);
}

/** Those names that an authority may sign for: all without limits. One name too many would make the whole certificate void. */
export function withinLimits(authority: x509.X509Certificate, names: readonly string[]): readonly string[] {
	const extension = authority.getExtension(NAME_CONSTRAINTS);
	if (extension === null) return names;
	const limits = Buffer.from(extension.value);
	const networks = new BlockList();
	for (const [address, bits] of NETWORKS) networks.addSubnet(address, bits, isIP(address) === 4 ? 'ipv4' : 'ipv6');
	/** The name itself, or one that it is below. */
	const isNamed = (name: string): boolean =>
		name.split('.').some((_, index, labels) => limits.includes(Buffer.from(dnsName(labels.slice(index).join('.')))));
	return names.filter((name) => {
		const family = isIP(name);
		return family === 0 ? isNamed(name) : networks.check(name, family === 4 ? 'ipv4' : 'ipv6');
	});
}
