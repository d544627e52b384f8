import type { SettingsMistake } from '../../config/settings-fault.ts';
import type { TemplateDocument } from '../../config/template/template.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import type { ImportPreview, ImportRequest } from './import/import-preview.ts';

/** What the thread of templates is started with: a file to be read, or a template to be judged. */
export type TemplateTask =
	| {
			readonly kind: 'import';
			/** Its content is plain bytes on the way. */
			readonly request: Omit<ImportRequest, 'content'> & { readonly content: Uint8Array };
			/** The template in force under the key; `undefined`: there is none. */
			readonly current: TemplateDocument | undefined;
	  }
	| { readonly kind: 'parse'; readonly key: string; readonly raw: JsonValue };

/** What became of a task; `failed`: a mistake of this program. */
export type TemplateOutcome =
	| { readonly kind: 'previewed'; readonly preview: ImportPreview }
	| { readonly kind: 'parsed'; readonly template: TemplateDocument }
	| { readonly kind: 'mistaken'; readonly mistakes: readonly SettingsMistake[] }
	| { readonly kind: 'failed'; readonly reason: string };

/** What the thread says: which template is extended, if one is, and at the end the outcome. */
export type TemplateSaying = { readonly kind: 'base'; readonly key: string } | TemplateOutcome;

/** The template that is extended; `null`: there is none of this key. */
export type TemplateBase = TemplateDocument | null;
