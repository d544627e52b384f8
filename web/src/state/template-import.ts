import { tt } from '../text-template.ts';
import type { ShownTemplateView, TemplateImportView, TemplateLineView } from '../wire-template.ts';
import type { Api } from '../api.ts';
import { base64Of } from './file-text.ts';
import { Mistyped } from './mistyped.ts';

/** Most bytes of a file that the server takes. */
export const MAX_FILE_BYTES = 1024 * 1024;

/** What the server was asked to look at, and what it says; with what is there under that key. */
export interface Previewed {
	readonly answer: TemplateImportView;
	/** `null`: the key is free. */
	readonly current: TemplateLineView | null;
	/** Of the template of the site that it would replace; `undefined`: there is none. */
	readonly checksum: string | undefined;
}

type Body = Readonly<Record<string, unknown>>;

/** A whole number of a field that may be empty. @throws Mistyped */
function wholeIn(text: string, { name, max, sentence }: { name: string; max: number; sentence: string }): Body {
	if (text === '') return {};
	const value = Number(text);
	if (!Number.isInteger(value) || value < 0 || value > max) throw new Mistyped(`options.${name}`, sentence);
	return { [name]: value };
}

const wordIn = (text: string, name: string): Body => (text === '' ? {} : { [name]: text });

/** The options of an import, as far as something was typed. @throws Mistyped */
export function importOptions(field: (name: string) => string): Body {
	const typed = (name: string): string => field(`options.${name}`).trim();
	return {
		...wordIn(typed('manufacturer'), 'manufacturer'),
		...wordIn(typed('model'), 'model'),
		...wordIn(typed('category'), 'category'),
		addressing: typed('addressing'),
		function: Number(typed('function')),
		...wholeIn(typed('unit_id'), { name: 'unit_id', max: 255, sentence: tt('import.unitIdBad') }),
		...wholeIn(typed('sunspec_address'), {
			name: 'sunspec_address',
			max: 65_535,
			sentence: tt('import.sunspecAddressBad'),
		}),
	};
}

/** A file as members of the body. Bytes are sent as they are: the server knows old encodings and workbooks. @throws Mistyped */
export async function fileBody(file: File): Promise<Body> {
	try {
		return { file_name: file.name, content: await base64Of(file), encoding: 'base64' };
	} catch {
		throw new Mistyped('content', tt('import.unreadable'));
	}
}

/** Asks what a file would be, and what it would replace. */
export async function preview(api: Api, body: Body): Promise<Previewed> {
	const answer = await api.post<TemplateImportView>('/api/v1/templates/import', body);
	const list = await api.get<readonly TemplateLineView[]>('/api/v1/templates');
	const current = list.find(({ key }) => key === answer.key) ?? null;
	const isOwn = current?.origin === 'site';
	const shown = isOwn ? await api.get<ShownTemplateView>(`/api/v1/templates/${answer.key}`) : null;
	// A file that cannot be read has no checksum; the server compares nothing then.
	return { answer, current, checksum: shown === null || shown.checksum === '' ? undefined : shown.checksum };
}

/** The document as people write it. */
export const documentText = (document: unknown): string => `${JSON.stringify(document, null, '\t')}\n`;
