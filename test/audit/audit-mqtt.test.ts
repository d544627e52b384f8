import test from 'ava';

import { auditMqtt } from '../../core/audit/audit-mqtt.ts';
import { isBelow } from '../../core/mqtt/topic.ts';
import { connectPacket, publishPacket, rawPeer, startBroker, subscribePacket } from '../fake/mqtt-peer.ts';
import { auditBox } from './audit-box.ts';

test('refused connections, topics and filters of a broker are entries', async (t) => {
	const audit = await auditBox(t).open();
	const { port, stop } = await startBroker({
		authorizePublish: ({ name }, topic) => isBelow(`devices/${name}`, topic),
		authorizeSubscribe: ({ name }, filter) => isBelow(`devices/${name}`, filter),
		onRefused: auditMqtt(audit),
	});
	t.teardown(stop);
	const stranger = rawPeer(port);
	stranger.send(connectPacket('meter-1', 'a guess'));
	await stranger.closed();
	const device = rawPeer(port);
	device.send(connectPacket('meter-1'));
	await device.until((heard) => heard.length >= 4);
	device.send(subscribePacket('devices/#'));
	await device.until((heard) => heard.includes(Buffer.from([0x90, 3, 0, 1, 0x80])));
	device.send(publishPacket('devices/meter-10/telemetry', '{}'));
	await device.closed();
	await audit.stop();
	const { entries } = await audit.page(null, 10, () => true);
	t.deepEqual(
		entries.map(({ action, target, outcome }) => [action, target, outcome]),
		[
			['mqtt-publish', 'meter-1 devices/meter-10/telemetry', 'refused'],
			['mqtt-subscribe', 'meter-1 devices/#', 'refused'],
			['mqtt-connect', 'meter-1', 'refused'],
		],
	);
	t.true(entries.every(({ from }) => from.includes('127.0.0.1')));
	t.false(JSON.stringify(entries).includes('a guess'));
});
