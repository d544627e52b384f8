import test from 'ava';

import {
	hostPlan,
	networkOf,
	networkText,
	type NetworkRule,
	type OwnAddress,
} from '../../gateway/scan/own-networks.ts';

const address = (cidr: string, internal = false): OwnAddress => ({ address: cidr.split('/')[0] ?? '', cidr, internal });

const rule = (...addresses: readonly OwnAddress[]): NetworkRule => ({
	addresses: () => addresses,
	withLoopback: false,
});

const LAN = rule(address('127.0.0.1/8', true), address('192.168.1.20/24'), address('10.1.2.3/16'));

test('a network is read from its text', (t) => {
	t.deepEqual(networkText(networkOf('192.168.1.77/24') ?? { base: 0, prefix: 0 }), '192.168.1.0/24');
	for (const text of ['', '192.168.1.0', '192.168.1.0/33', '300.1.1.1/24', 'fe80::/64', '192.168.1/24', 'x/24'])
		t.is(networkOf(text), null, text);
});

test('the hosts of a network are all but the network, the broadcast and the box itself', (t) => {
	const { hosts } = hostPlan(['192.168.1.16/29'], LAN);
	t.deepEqual(hosts, ['192.168.1.17', '192.168.1.18', '192.168.1.19', '192.168.1.21', '192.168.1.22']);
	t.deepEqual(hostPlan(['192.168.1.9/32'], LAN).hosts, ['192.168.1.9']);
	t.deepEqual(hostPlan(['192.168.1.8/31'], LAN).hosts, ['192.168.1.8', '192.168.1.9']);
});

test('without a choice, the private networks are taken, and of large ones the part around the box', (t) => {
	const { networks, hosts } = hostPlan(null, LAN);
	t.deepEqual(networks, ['192.168.1.0/24', '10.1.2.0/24']);
	t.is(hosts.length, 253 + 253);
	t.false(hosts.includes('192.168.1.20'));
});

const refused: readonly (readonly [subnets: readonly string[] | null, rule: NetworkRule, sentence: RegExp])[] = [
	[['8.8.8.0/24'], LAN, /^subnets: 8\.8\.8\.0\/24 must lie in a private network that this box is part of: 192/],
	[['192.168.2.0/24'], LAN, /must lie in a private network/],
	[['192.168.0.0/22'], LAN, /must lie in a private network/],
	[['10.1.0.0/16'], LAN, /is too large: at most 1024 addresses, a \/22/],
	[['127.0.0.0/24'], LAN, /must lie in a private network/],
	[['meters'], LAN, /must be an IPv4 network like 192\.168\.1\.0\/24/],
	[['10.1.0.0/22', '10.1.4.0/22'], LAN, /have 2043 addresses together; one scan takes at most 1024/],
	[null, rule(address('203.0.113.5/24')), /^subnets: The box has no address to be scanned/],
	[['203.0.113.0/24'], rule(address('203.0.113.5/24')), /that this box is part of; it is in none/],
];

for (const [subnets, networks, sentence] of refused) {
	test(`${subnets?.join(', ') ?? 'own networks'} of ${networks.addresses().length} addresses is refused: ${sentence.source}`, (t) => {
		const fault = t.throws(() => hostPlan(subnets, networks));
		t.regex(fault?.message ?? '', sentence);
	});
}
