import test from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { createLateReplyGuard } from '../../gateway/driver/modbus/wire/late-reply-guard.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusWrite } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createRtuLine } from '../../gateway/driver/modbus/wire/rtu-line.ts';
import { createRtuWire, type RtuWire, rtuReply } from '../fake/rtu-wire.ts';

const timing = { baudRate: 115_200, bitsPerChar: 10 };

const several = (words: readonly number[], address = 100): ModbusWrite => ({
	unitId: 1,
	functionCode: 16,
	address,
	words,
	timeoutMs: 60,
	guardMs: 0,
});

async function openOn(wire: RtuWire) {
	const meter = createLineMeter(systemClock);
	const guard = createLateReplyGuard(() => systemClock.monotonicMs());
	const line = createRtuLine({ link: wire.link(), timing, clock: systemClock, meter, guard });
	await line.open(new AbortController().signal, () => undefined);
	return { line, counters: meter.counters };
}

test('a write is answered by its echo', async (t) => {
	const wire = createRtuWire(() => ({ delayMs: 1 }));
	const { line, counters } = await openOn(wire);
	const { data } = await line.transact(several([1, 2, 3]));
	t.is(data.length, 0);
	await line.transact({ ...several([7]), functionCode: 6 });
	await line.transact({ ...several([1]), functionCode: 5 });
	t.is(counters.answers, 4);
	t.deepEqual(
		wire.requests.map(({ functionCode, address, count, words }) => [functionCode, address, count, words]),
		[
			[16, 100, 3, [1, 2, 3]],
			// A request that nothing was heard of until the next one shows that the adapter does not hear itself.
			[3, 100, 1, undefined],
			[6, 100, 7, undefined],
			[5, 100, 0xff00, undefined],
		],
	);
	await line.close();
});

test('the echo of another write is not taken', async (t) => {
	const other = { unitId: 1, functionCode: 16, address: 101, count: 2 };
	const wire = createRtuWire(() => ({ delayMs: 1, bytes: rtuReply(other) }));
	const { line } = await openOn(wire);
	const fault = await t.throwsAsync(line.transact(several([1, 2])), { instanceOf: ModbusFault });
	t.is(fault.failure, 'timeout');
	await line.close();
});

test('the late echo of one write is not taken for that of the next to the same registers', async (t) => {
	// The first write is answered after its time and after the quarantine; the second one never.
	const wire = createRtuWire(({ functionCode }, index) => {
		if (functionCode !== 16) return { delayMs: 1 };
		return index === 0 ? { delayMs: 1, isLate: true } : null;
	});
	const { line } = await openOn(wire);
	t.is((await t.throwsAsync(line.transact(several([1, 2])), { instanceOf: ModbusFault })).failure, 'timeout');
	const fault = await t.throwsAsync(line.transact({ ...several([3, 4]), timeoutMs: 300 }), { instanceOf: ModbusFault });
	t.is(fault.failure, 'timeout');
	const functions = wire.requests.map(({ functionCode }) => functionCode);
	t.deepEqual(functions, [16, 3, 16], 'a read of the same registers brings certainty before the second write');
	await line.close();
});
