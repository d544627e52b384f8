import test from 'ava';

import type { Connection, StreamLine } from '../../config/connection/connection.ts';
import { createTemplateCheck } from '../../config/template/template-check.ts';
import { assertGatewayTakes } from '../../cloud/command/draft-check.ts';
import { assertLineAgrees, assertTemplateFits } from '../../core/device/device-rules.ts';
import { deviceId, deviceUid } from '../../core/kernel/id.ts';
import { assertDeviceTakes } from '../../gateway/command/gateway-delivery.ts';
import { plainDevice } from '../fake/plain-device.ts';
import { LIBRARY, SERIAL_LINE } from '../fake/stream-bench.ts';

const timing = { periodMs: 1000, timeoutMs: 1000 };

const serial = (line: StreamLine = SERIAL_LINE, template = 'dsmr-p1'): Connection => ({
	driver: 'serial',
	line,
	template,
	...timing,
});

const modbus = (template: string): Connection => ({
	driver: 'modbus',
	line: { ...SERIAL_LINE, transport: 'rtu' },
	unitId: 1,
	template,
	...timing,
});

const device = (uid: string, digit: number, connection: Connection) =>
	plainDevice({ id: deviceId(`00000000-0000-4000-8000-00000000000${digit}`), uid: deviceUid(uid), connection });

test('a serial device that is not Modbus shares its port with nobody', (t) => {
	const p1 = device('p1', 1, serial());
	const meter = device('meter', 2, modbus('eastron-sdm630'));
	const message =
		/^connection\.line\.path: port \/dev\/ttyUSB0 is used by device \w+; a serial device .* has its line for itself$/;
	t.throws(() => assertLineAgrees(p1, [meter]), { message });
	t.throws(() => assertLineAgrees(meter, [p1]), { message });
	t.throws(() => assertLineAgrees(p1, [device('other', 3, serial())]), { message });
	t.notThrows(() => assertLineAgrees(p1, [p1, device('far', 3, serial({ ...SERIAL_LINE, path: '/dev/ttyUSB1' }))]));
	const socket = serial({ transport: 'socket', host: 'box', port: 4001 });
	t.throws(() => assertLineAgrees(device('a', 4, socket), [device('b', 5, socket)]), {
		message: /^connection\.line\.host: /,
	});
});

test('nobody shares the port under another one of its names either', (t) => {
	const p1 = device('p1', 1, serial());
	const other = { ...SERIAL_LINE, path: '/dev/serial/by-id/reader' };
	const same = device('same', 3, serial(other));
	t.throws(() => assertLineAgrees(same, [p1], () => 'one port'), {
		message:
			/^connection\.line\.path: port \/dev\/serial\/by-id\/reader is used by device p1 as \/dev\/ttyUSB0; a serial device /,
	});
	t.notThrows(() => assertLineAgrees(same, [p1], (path) => path));
});

test('a device is saved only with a template of its own sort', (t) => {
	const check = createTemplateCheck(LIBRARY);
	t.throws(() => assertTemplateFits(modbus('dsmr-p1'), check), {
		message: 'connection.template: must be of the driver modbus; dsmr-p1 is of serial',
	});
	t.throws(() => assertTemplateFits(serial(SERIAL_LINE, 'eastron-sdm630'), check), {
		message: 'connection.template: must be of the driver serial; eastron-sdm630 is of modbus',
	});
	t.notThrows(() => assertTemplateFits(serial(), check));
	t.notThrows(() => assertTemplateFits(modbus('eastron-sdm630'), check));
});

test('a command to a serial device is refused when it is queued', (t) => {
	const draft = { name: 'write', payload: { point: 'tariff', value: 1 }, ttlMs: 1000 };
	// By its gateway, and by the hub already.
	for (const assertTaken of [assertDeviceTakes, assertGatewayTakes])
		t.throws(() => assertTaken({ connection: serial() }, draft, LIBRARY), {
			message: /^device_uid: a serial device that is not Modbus takes no commands/,
		});
});
