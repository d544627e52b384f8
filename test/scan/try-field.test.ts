import test from 'ava';

import { startTcpSlave } from '../../gateway/simulator/modbus-tcp-slave.ts';
import { createSdm630Image } from '../../gateway/simulator/sdm630-image.ts';
import { box, fakeSlave, slaveOf, tcp } from './field.ts';

test('a register is tried in every meaning of its number with one read, and the expected value comes first', async (t) => {
	const slave = await startTcpSlave(slaveOf({ 1: createSdm630Image(1) }), 0);
	t.teardown(() => slave.stop());
	const { tryRegister } = await box(t);
	const request = { line: tcp(slave.port), unitId: 1, functionCode: 4, count: 2, timeoutMs: 10_000 } as const;
	const { reads, decodings } = await tryRegister.read({ ...request, address: 30_001, expect: 231 });
	t.deepEqual(
		reads.filter(({ error }) => error === null).map(({ address, count }) => [address, count]),
		[[0, 2]],
	);
	const [first] = decodings;
	t.is(first?.notation, 'reference');
	t.is(first?.type, 'float32');
	t.is(first?.byteOrder, 'ABCD');
	t.regex(first?.hint ?? '', /looks like a phase voltage in V/);
	t.true(first?.matches);
});

test('a try shows the exception of the device in words, and the time of a silent one ends', async (t) => {
	const slave = await fakeSlave(t, ({ address }) =>
		address < 100 ? { kind: 'exception', code: 2 } : { kind: 'silence' },
	);
	const { tryRegister } = await box(t);
	const request = { line: tcp(slave.port), unitId: 1, functionCode: 3, count: 1 } as const;
	const refused = await tryRegister.read({ ...request, address: 0, timeoutMs: 10_000 });
	t.deepEqual(refused.decodings, []);
	t.deepEqual(refused.reads[0]?.exception, {
		code: 2,
		text: 'illegal data address: the device has no such register',
	});
	const silent = await tryRegister.read({ ...request, address: 500, timeoutMs: 50 });
	t.is(silent.reads[0]?.exception, null);
	t.regex(silent.reads[0]?.error ?? '', /no answer from unit 1/);
	t.true(silent.reads.length <= 3);
});

test('the last register is read, and what lies beyond it is refused before anything is sent', async (t) => {
	const slave = await fakeSlave(t, () => ({ kind: 'data' }));
	const { tryRegister } = await box(t);
	const request = { line: tcp(slave.port), unitId: 1, functionCode: 3, address: 65_535, timeoutMs: 10_000 } as const;
	const { reads } = await tryRegister.read({ ...request, count: 1 });
	t.deepEqual(reads[0]?.words, [0xff_fe ^ 0x100, 0xffff ^ 0x100]);
	const wide = await tryRegister.read({ ...request, count: 2 });
	t.deepEqual(
		wide.reads.map(({ address, count }) => [address, count]),
		[[65_534, 2]],
	);
	const fault = await t.throwsAsync(tryRegister.read({ ...request, count: 3 }));
	t.regex(fault?.message ?? '', /^count: 3 from 65535 end beyond address 65535/);
	t.true(slave.requests.every(({ address, count }) => address + count <= 65_536));
});
