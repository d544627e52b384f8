import { Worker } from 'node:worker_threads';

import type { TemplateDocument } from '../../config/template/template.ts';
import { type SetTimer, systemTimer } from '../../core/journal/set-timer.ts';
import { Fault, fieldFault, messageOf } from '../../core/kernel/fault.ts';
import { createGate } from '../../core/kernel/gate.ts';
import type { TemplateBase, TemplateOutcome, TemplateSaying, TemplateTask } from './template-messages.ts';

export interface TemplateThreadDeps {
	/** Templates that others may extend. */
	readonly bases: ReadonlyMap<string, TemplateDocument>;
	/** For the longest time that a task may take. */
	readonly setTimer?: SetTimer;
}

/** Does the heavy work on templates beside everything else: devices are polled and readings kept meanwhile. */
export interface TemplateThread {
	/** @throws Fault `rule-violation` when the task takes too long or too much memory, `unavailable` when too many wait */
	run(task: TemplateTask): Promise<TemplateOutcome>;
}

const SCRIPT = new URL('./template-worker.js', import.meta.url);
/** Longest time that a task may take, the start of its thread included, ms. */
const WITHIN_MS = 30_000;
/** Memory of the thread, MB: the largest workbook takes half of it. */
const LIMITS = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 32 };
/** Tasks that may wait for the one that runs. */
const MAX_WAITING = 4;

/** Where the caller has put what is too much. */
const FIELDS: Readonly<Record<TemplateTask['kind'], string>> = { import: 'content', parse: 'points' };

const isOutOfMemory = (error: unknown): boolean =>
	error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';

export function createTemplateThread({ bases, setTimer = systemTimer }: TemplateThreadDeps): TemplateThread {
	const gate = createGate({ what: 'templates to be read', parallel: 1, waiting: MAX_WAITING });

	function outcomeOf(worker: Worker, field: string): Promise<TemplateOutcome> {
		return new Promise((resolve, reject) => {
			const cancel = setTimer(() => {
				reject(fieldFault('rule-violation', field, `must be read within ${WITHIN_MS / 1000} s`));
			}, WITHIN_MS);
			worker.on('message', (saying: TemplateSaying) => {
				if (saying.kind !== 'base') return resolve(saying);
				const base: TemplateBase = bases.get(saying.key) ?? null;
				// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
				worker.postMessage(base);
			});
			worker.once('error', reject);
			worker.once('exit', () => {
				cancel();
				reject(new Error('the thread ended before its task'));
			});
		});
	}

	async function start(task: TemplateTask): Promise<TemplateOutcome> {
		const field = FIELDS[task.kind];
		const worker = new Worker(SCRIPT, { workerData: task, resourceLimits: LIMITS });
		try {
			return await outcomeOf(worker, field);
		} catch (error) {
			if (error instanceof Fault) throw error;
			if (isOutOfMemory(error)) throw fieldFault('rule-violation', field, 'takes more memory than there is for it');
			return { kind: 'failed', reason: messageOf(error) };
		} finally {
			await worker.terminate();
		}
	}

	return { run: (task) => gate.run(() => start(task)) };
}
