import type { TemplateDocument } from '../../../config/template/template.ts';
import { Fault, fieldFault } from '../../../core/kernel/fault.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import type { TemplateThread } from '../template-thread.ts';
import { MAX_IMPORT_BYTES } from './import-formats.ts';
import type { ImportPreview, ImportRequest } from './import-preview.ts';

export interface ImportServiceDeps {
	readonly thread: TemplateThread;
	/** The template in force; `undefined`: there is none of this key. */
	readonly current: (key: string) => TemplateDocument | undefined;
	readonly log: Logger;
}

export interface ImportService {
	/** @throws Fault `rule-violation` when the file is too large or takes too much, `unavailable` while others are read */
	preview(request: ImportRequest): Promise<ImportPreview>;
}

/** Turns files of other programs into templates, to be looked at before they are stored. */
export function createImportService({ thread, current, log }: ImportServiceDeps): ImportService {
	return {
		async preview(request) {
			const { key, content, fileName } = request;
			if (content.length > MAX_IMPORT_BYTES)
				throw fieldFault(
					'rule-violation',
					'content',
					`a file has at most ${MAX_IMPORT_BYTES} bytes; found ${content.length}`,
				);
			const outcome = await thread.run({ kind: 'import', request, current: current(key) });
			if (outcome.kind === 'previewed') return outcome.preview;
			const reason = outcome.kind === 'failed' ? outcome.reason : outcome.kind;
			log.warn('import-failed', { file: fileName.slice(0, 100), reason });
			throw new Fault('rule-violation', 'the file cannot be read');
		},
	};
}
