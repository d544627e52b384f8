import { setTimeout as sleep } from 'node:timers/promises';

import { Fault } from '../../core/kernel/fault.ts';
import { readsBits } from '../driver/modbus/plan/line-cost.ts';
import type { AddressSpan, SweepAsk } from './cap-search.ts';
import { createRegisterSweep } from './register-sweep.ts';
import type { FoundRegisters, RegisterScan, SweepContext } from './scan.ts';
import type { ScanLines } from './scan-line.ts';
import { createWitness, type Outcome, type Witness } from './witness.ts';

/** Silent or damaged reads are repeated so often: one lost frame is no missing register. */
const REPEATS = 1;
/** Silent reads in a row after which the unit is asked for something that it has answered before. */
const SILENT_BEFORE_CHECK = 8;
/** Such checks in vain, after which the unit is taken for gone. */
const VAIN_CHECKS = 3;
/** Exception 1: the unit does not know the function at all. */
const ILLEGAL_FUNCTION = 1;

/** Values by address, as they were read. */
function createFound(isBits: boolean) {
	const words = new Map<number, number>();
	return {
		add({ address, count }: SweepAsk, data: Buffer): void {
			for (let k = 0; k < count; k += 1)
				words.set(address + k, isBits ? (data.readUInt8(k >> 3) >> (k & 7)) & 1 : data.readUInt16BE(2 * k));
		},
		text({ first, last }: AddressSpan): string {
			const texts: string[] = [];
			for (let at = first; at <= last; at += 1) {
				const word = words.get(at) ?? 0;
				texts.push(isBits ? String(word) : word.toString(16).padStart(4, '0'));
			}
			return texts.join('');
		},
	};
}

const isRefusal = (outcome: Outcome): boolean => outcome.kind === 'exception';

/** Whether every single address of a large range was answered. */
const EVERYWHERE_FROM = 10_000;

async function ask(witness: Witness, scan: RegisterScan, { address, count }: SweepAsk): Promise<Outcome> {
	const { unitId, functionCode, timeoutMs } = scan;
	let outcome = await witness.ask({ unitId, functionCode, address, count, timeoutMs });
	for (let k = 0; k < REPEATS && (outcome.kind === 'silent' || outcome.kind === 'damaged'); k += 1)
		outcome = await witness.ask({ unitId, functionCode, address, count, timeoutMs });
	return outcome;
}

async function sweep(witness: Witness, scan: RegisterScan, context: SweepContext): Promise<FoundRegisters> {
	const { functionCode, unitId } = scan;
	const run = createRegisterSweep(scan);
	const found = createFound(readsBits(functionCode));
	let reads = 0;
	let silent = 0;
	let vain = 0;
	let known: SweepAsk | null = null;

	/** A unit that is silent for a while is asked for what it has: it may be gone, and not only the registers. */
	async function isGone(): Promise<boolean> {
		silent += 1;
		if (known === null || silent % SILENT_BEFORE_CHECK !== 0) return false;
		vain = (await ask(witness, scan, known)).kind === 'answer' ? 0 : vain + 1;
		return vain >= VAIN_CHECKS;
	}

	function settle(asked: SweepAsk, outcome: Outcome): void {
		if (outcome.kind === 'answer') {
			silent = 0;
			known ??= asked;
			found.add(asked, outcome.answer.data);
			run.answered(asked);
		} else if (isRefusal(outcome)) {
			silent = 0;
			run.refused(asked);
		} else {
			run.silent(asked);
		}
	}

	for (let asked = run.next(); asked !== null; asked = run.next()) {
		if (context.signal.aborted) break;
		context.progress(run.done, run.total, `unit ${unitId}, address ${asked.address}`);
		const outcome = await ask(witness, scan, asked).catch((error: unknown) => {
			// What was found is worth keeping.
			if (context.signal.aborted) return null;
			throw error;
		});
		if (outcome === null) break;
		reads += 1;
		if (outcome.kind === 'exception' && outcome.code === ILLEGAL_FUNCTION && known === null)
			throw new Fault('rule-violation', `unit ${unitId} does not know function ${functionCode}`, {
				field: 'function',
			});
		settle(asked, outcome);
		if (outcome.kind === 'silent' && (await isGone())) {
			const sentence = `Unit ${unitId} went silent during the scan: what lies behind address ${asked.address} is not known`;
			context.hint({ code: 'went-silent', severity: 'warning', sentence });
			break;
		}
		if (scan.pauseMs > 0) await sleep(scan.pauseMs);
	}
	const { answered, ...rest } = run.findings();
	return {
		...rest,
		answered: answered.map(({ first, last }) => ({ first, last, data: found.text({ first, last }) })),
		reads,
	};
}

/** Finds the addresses that a unit answers, gently: the lowest priority, a pause after each read. */
export function createRegisterScan({ lines }: { readonly lines: Pick<ScanLines, 'share'> }) {
	return {
		/** Once the signal is aborted it ends with what it has found. @throws Fault `rule-violation` when the unit does not know the function; what a line throws that cannot be used */
		async run(scan: RegisterScan, context: SweepContext): Promise<FoundRegisters> {
			const line = await lines.share(scan.line, 'scan');
			try {
				const findings = await sweep(createWitness(line, context.signal), scan, context);
				const [first] = findings.answered;
				if (first !== undefined && first.last - first.first + 1 >= EVERYWHERE_FROM) {
					const sentence = `Unit ${scan.unitId} answers every address from ${first.first} to ${first.last}: an answer is no proof that it has such a register, only plausible values are`;
					context.hint({ code: 'answers-everywhere', severity: 'info', sentence });
				}
				return findings;
			} finally {
				await line.release();
			}
		},
	};
}
