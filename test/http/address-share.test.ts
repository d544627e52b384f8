import test from 'ava';

import { createAddressShare } from '../../core/http/address-share.ts';

test('an address, or an IPv6 network, uses up its own share and nobody else is disturbed', (t) => {
	const share = createAddressShare(2);
	const leave = share.enter('192.0.2.1');
	share.enter('::ffff:192.0.2.1');
	t.true(share.isFull('192.0.2.1'));
	t.false(share.isFull('192.0.2.2'));
	leave();
	t.false(share.isFull('192.0.2.1'));
	share.enter('2001:db8::1');
	share.enter('2001:db8::2');
	t.true(share.isFull('2001:db8::3'));
	t.false(share.isFull('2001:db8:0:1::3'));
});

test('this machine has no share: a proxy on it speaks for others', (t) => {
	const share = createAddressShare(1);
	for (const address of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1']) {
		share.enter(address);
		share.enter(address);
		t.false(share.isFull(address), address);
	}
	share.enter('128.0.0.1');
	t.true(share.isFull('128.0.0.1'));
});
