import type { Clock } from '../../../core/kernel/clock.ts';
import type { LineMeter } from '../line-meter.ts';
import type { UnitMeter } from '../unit-meter.ts';
import { type ModbusFailure, ModbusFault } from './wire/modbus-fault.ts';
import type { ModbusLine } from './wire/modbus-line.ts';

const counted: Readonly<Record<Exclude<ModbusFailure, 'exception' | 'closed'>, 'timeouts' | 'corrupt' | 'unproven'>> = {
	timeout: 'timeouts',
	corrupt: 'corrupt',
	unproven: 'unproven',
};

function countFault({ counters, exceptions }: UnitMeter, fault: unknown): void {
	if (!(fault instanceof ModbusFault) || fault.failure === 'closed') return;
	if (fault.failure !== 'exception') {
		counters[counted[fault.failure]] += 1;
		return;
	}
	const code = fault.exceptionCode ?? 0;
	exceptions.set(code, (exceptions.get(code) ?? 0) + 1);
}

/** The same line; each exchange is counted for its unit, whoever asked: polling, a write, a scan. */
export function measuredLine(line: ModbusLine, { units }: LineMeter, clock: Pick<Clock, 'monotonicMs'>): ModbusLine {
	return {
		depth: line.depth,
		open: (signal, lost) => line.open(signal, lost),
		close: () => line.close(),
		async transact(exchange) {
			const unit = units.of(exchange.unitId);
			const startMs = clock.monotonicMs();
			unit.counters.requests += 1;
			try {
				const answer = await line.transact(exchange);
				unit.counters.answers += 1;
				unit.latency.add(answer.latencyMs);
				return answer;
			} catch (fault) {
				countFault(unit, fault);
				throw fault;
			} finally {
				unit.utilisation.busy(startMs, clock.monotonicMs());
			}
		},
	};
}
