import type { TemplateDocument } from '../../../config/template/template.ts';
import type { ImportPreview, ImportRequest } from './import-preview.ts';

/** What the thread of an import is started with. */
export interface ImportTask {
	/** Its content is plain bytes on the way. */
	readonly request: Omit<ImportRequest, 'content'> & { readonly content: Uint8Array };
	/** The template in force under the key; `undefined`: there is none. */
	readonly current: TemplateDocument | undefined;
}

/** What became of a file; `failed`: a mistake of this program. */
export type ImportOutcome =
	| { readonly kind: 'done'; readonly preview: ImportPreview }
	| { readonly kind: 'failed'; readonly reason: string };

/** What the thread says: which template the file extends, if it does, and at the end the outcome. */
export type ImportSaying = { readonly kind: 'base'; readonly key: string } | ImportOutcome;

/** The template that the file extends; `null`: there is none of this key. */
export type ImportBase = TemplateDocument | null;
