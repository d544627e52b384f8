import { messageOf } from '../../../core/kernel/fault.ts';
import { ModbusFault } from './wire/modbus-fault.ts';

/** Why a device is taken for dead. */
export interface LossReason {
	/** Tells one kind of trouble from another: another kind is told anew. */
	readonly cause: 'damaged' | 'behind-gateway' | 'silent';
	readonly sentence: string;
}

export interface LossFacts {
	/** The device and its line, e.g. `unit 1 on tcp 10.0.0.5:502`. */
	readonly where: string;
	/** Since when, e.g. `since 14:04:31Z`. */
	readonly since: string;
	/** Requests in vain. */
	readonly count: number;
}

/** What the exceptions of a Modbus gateway say of the unit behind it, and what to look at there (1.1b3, section 7). */
const behindGateway: Readonly<Record<number, readonly [what: string, hint: string]>> = {
	10: ['has no path to', 'check which units it is set up for, and the unit id'],
	11: [
		'gets no answer from',
		'the network is fine; check the wiring behind the gateway, its line settings and the unit id',
	],
};

/** @param fault what became of the last of these requests */
export function lossReason(fault: unknown, { where, since, count }: LossFacts): LossReason {
	const [what, hint] = behindGateway[fault instanceof ModbusFault ? (fault.exceptionCode ?? 0) : 0] ?? [];
	if (fault instanceof ModbusFault && what !== undefined) {
		const times = `exception ${fault.exceptionCode}, ${count} times`;
		return { cause: 'behind-gateway', sentence: `the Modbus gateway ${what} ${where} ${since} (${times}); ${hint}` };
	}
	if (fault instanceof ModbusFault && fault.failure === 'corrupt') {
		const advice = 'check wiring, line settings and that the unit id is used once';
		return {
			cause: 'damaged',
			sentence: `no usable answer from ${where} ${since} (${messageOf(fault)}); ${advice}`,
		};
	}
	return {
		cause: 'silent',
		sentence: `no answer from ${where} ${since} (${count} timeouts); check wiring and unit id`,
	};
}
