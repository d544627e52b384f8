import test from 'ava';

import { createHubRecordPolicy } from '../../cloud/sync/hub-record-policy.ts';
import type { AlertRule } from '../../core/alarm/alert-rule.ts';
import { DEFAULT_TENANT, deviceId, gatewayId, tenantId } from '../../core/kernel/id.ts';
import { createGatewayRecordPolicy } from '../../gateway/sync/gateway-record-policy.ts';
import { alertOf } from '../fake/alert.ts';
import { alertRule } from '../fake/alert-rule.ts';
import { deviceOf, GATEWAY } from '../fake/device-box.ts';

const OTHER = gatewayId('9a000000-0000-4000-8000-000000000002');
const ELSEWHERE = tenantId('7e000000-0000-4000-8000-000000000001');
const THEIRS = deviceOf(2, 'theirs', { gatewayId: OTHER });
const UNKNOWN = deviceId('dd000000-0000-4000-8000-00000000ffff');

const hub = createHubRecordPolicy({
	tenantOf: (id) => (id === GATEWAY ? DEFAULT_TENANT : id === OTHER ? ELSEWHERE : null),
	deviceOf: (id) => [deviceOf(1, 'mine'), THEIRS].find((device) => device.id === id) ?? null,
});

const own = alertRule({ gatewayId: GATEWAY });

test('a gateway says nothing of rules and alerts of others, nor of their devices', (t) => {
	const forbidden = { name: 'Fault', message: /is of|is the hub's|another box|not of this gateway/ };
	t.notThrows(() => hub.assertRule(own, own, GATEWAY));
	t.notThrows(() => hub.assertRule({ ...own, deviceId: UNKNOWN }, null, GATEWAY));
	t.notThrows(() => hub.assertAlert(alertOf(1), null, GATEWAY));
	t.throws(() => hub.assertRule({ ...own, gatewayId: null }, null, GATEWAY), forbidden);
	t.throws(() => hub.assertRule({ ...own, gatewayId: OTHER }, null, GATEWAY), forbidden);
	t.throws(() => hub.assertRule(own, alertRule(), GATEWAY), forbidden);
	t.throws(() => hub.assertRule({ ...own, deviceId: THEIRS.id }, null, GATEWAY), forbidden);
	t.throws(() => hub.assertAlert(alertOf(1), null, OTHER), forbidden);
	t.throws(() => hub.assertAlert(alertOf(1), alertOf(1, { origin: OTHER }), GATEWAY), forbidden);
	t.throws(() => hub.assertAlert(alertOf(1, { deviceId: THEIRS.id }), null, GATEWAY), forbidden);
	t.throws(() => hub.tenantOf(UNKNOWN), { message: /does not exist/ });
});

test('a gateway hears of its own, and of the rules for all of its tenant', (t) => {
	const hears = (changes: Partial<AlertRule>): boolean => hub.hearsRule(alertRule(changes), GATEWAY);
	t.true(hears({}));
	t.true(hears({ gatewayId: GATEWAY }));
	t.false(hears({ gatewayId: OTHER }));
	t.false(hears({ tenantId: ELSEWHERE }));
	t.true(hub.hearsAlert(alertOf(1), GATEWAY));
	t.false(hub.hearsAlert(alertOf(1), OTHER));
});

test('a gateway takes from its hub what is its own, and no alert of a device that it does not have', (t) => {
	const mine = deviceOf(1, 'mine');
	const gateway = createGatewayRecordPolicy({
		node: GATEWAY,
		devices: { find: (reference) => (reference === mine.id ? mine : null) },
	});
	t.notThrows(() => gateway.assertRule(alertRule(), null, 'hub'));
	t.notThrows(() => gateway.assertRule(own, own, 'hub'));
	t.throws(() => gateway.assertRule({ ...own, gatewayId: OTHER }, null, 'hub'), { message: /is of gateway/ });
	t.throws(() => gateway.assertRule(alertRule(), own, 'hub'), { message: /is here this gateway's/ });
	t.notThrows(() => gateway.assertAlert(alertOf(1), null, 'hub'));
	t.throws(() => gateway.assertAlert(alertOf(1, { deviceId: THEIRS.id }), null, 'hub'), { message: /not here/ });
	t.throws(() => gateway.assertAlert(alertOf(1, { origin: OTHER }), null, 'hub'), { message: /is of/ });
	t.false(gateway.hearsRule(alertRule(), 'hub'));
	t.true(gateway.hearsRule(own, 'hub'));
});
