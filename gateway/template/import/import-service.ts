import { Worker } from 'node:worker_threads';

import type { TemplateDocument } from '../../../config/template/template.ts';
import { type SetTimer, systemTimer } from '../../../core/journal/set-timer.ts';
import { Fault, fieldFault, messageOf } from '../../../core/kernel/fault.ts';
import { createGate } from '../../../core/kernel/gate.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import { MAX_IMPORT_BYTES } from './import-formats.ts';
import type { ImportBase, ImportOutcome, ImportSaying, ImportTask } from './import-messages.ts';
import type { ImportPreview, ImportRequest } from './import-preview.ts';

export interface ImportServiceDeps {
	/** Templates that a file may extend. */
	readonly bases: ReadonlyMap<string, TemplateDocument>;
	/** The template in force; `undefined`: there is none of this key. */
	readonly current: (key: string) => TemplateDocument | undefined;
	readonly log: Logger;
	/** For the longest time that a file may take. */
	readonly setTimer?: SetTimer;
}

export interface ImportService {
	/** @throws Fault `rule-violation` when the file is too large or takes too much, `unavailable` while others are read */
	preview(request: ImportRequest): Promise<ImportPreview>;
}

const SCRIPT = new URL('./import-worker.js', import.meta.url);
/** Longest time that a file may take, its thread's start included, ms. */
const WITHIN_MS = 30_000;
/** Memory of the thread, MB: a workbook as large as may be takes half of it. */
const LIMITS = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 32 };
/** Imports that may wait for the one that runs. */
const MAX_WAITING = 4;

const isOutOfMemory = (error: unknown): boolean =>
	error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';

/**
 * Turns files of other programs into templates, to be looked at before they are stored. Each is read on a thread of its own, so that
 * devices are polled and readings kept meanwhile; one that takes too long or too much memory is refused.
 */
export function createImportService({ bases, current, log, setTimer = systemTimer }: ImportServiceDeps): ImportService {
	const gate = createGate({ what: 'imports of templates', parallel: 1, waiting: MAX_WAITING });

	function outcomeOf(worker: Worker): Promise<ImportOutcome> {
		return new Promise((resolve, reject) => {
			const cancel = setTimer(() => {
				reject(fieldFault('rule-violation', 'content', `must be read within ${WITHIN_MS / 1000} s`));
			}, WITHIN_MS);
			worker.on('message', (saying: ImportSaying) => {
				if (saying.kind !== 'base') return resolve(saying);
				const base: ImportBase = bases.get(saying.key) ?? null;
				// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
				worker.postMessage(base);
			});
			worker.once('error', reject);
			worker.once('exit', () => {
				cancel();
				reject(new Error('the thread of the import ended'));
			});
		});
	}

	async function run(task: ImportTask): Promise<ImportOutcome> {
		const worker = new Worker(SCRIPT, { workerData: task, resourceLimits: LIMITS });
		try {
			return await outcomeOf(worker);
		} catch (error) {
			if (error instanceof Fault) throw error;
			if (isOutOfMemory(error))
				throw fieldFault('rule-violation', 'content', 'takes more memory than an import may have');
			return { kind: 'failed', reason: messageOf(error) };
		} finally {
			await worker.terminate();
		}
	}

	return {
		async preview(request) {
			const { key, content, fileName } = request;
			if (content.length > MAX_IMPORT_BYTES)
				throw fieldFault(
					'rule-violation',
					'content',
					`a file has at most ${MAX_IMPORT_BYTES} bytes; found ${content.length}`,
				);
			const outcome = await gate.run(() => run({ request, current: current(key) }));
			if (outcome.kind === 'done') return outcome.preview;
			log.warn('import-failed', {
				file: fileName.slice(0, 100),
				reason: outcome.reason,
			});
			throw new Fault('rule-violation', 'the file cannot be read');
		},
	};
}
