import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { Back } from '../part/back.tsx';
import { Problem } from '../part/list.tsx';
import { ImportForm, type ImportStart } from '../part/template-import-form.tsx';
import { ImportPreview } from '../part/template-import-preview.tsx';
import { useServices } from '../state/services.ts';
import { type Previewed, documentText } from '../state/template-import.ts';
import { tt } from '../text-template.ts';
import { t } from '../text.ts';
import type { ShownTemplateView } from '../wire-template.ts';

const BLANK: ImportStart = { key: '', format: 'auto', text: null };

/** A template out of a file, or of a text: of another program, or one that is changed. */
export function ImportTemplatePage() {
	const { place } = useServices();
	const { id } = place.value;
	return (
		<>
			<Back to="templates" />
			<h1 class="title-row">{id === null ? tt('import.title') : tt('import.changing', { key: id })}</h1>
			{id === null ? <Import start={BLANK} /> : <Change templateKey={id} />}
		</>
	);
}

/** What is changed: an own template is written anew, that of the product gets one above it that says only what differs. */
const textOf = ({ key, origin, document }: ShownTemplateView): string =>
	documentText(origin === 'site' ? document : { extends: key, points: [] });

function Change({ templateKey }: { readonly templateKey: string }) {
	const { api } = useServices();
	const start = useSignal<ImportStart | null>(null);
	const problem = useSignal<string | null>(null);
	useEffect(() => {
		async function load(): Promise<void> {
			try {
				const shown = await api.get<ShownTemplateView>(`/api/v1/templates/${encodeURIComponent(templateKey)}`);
				start.value = { key: templateKey, format: 'template', text: textOf(shown) };
			} catch (error) {
				problem.value = error instanceof Error ? error.message : t('error.unreachable');
			}
		}
		void load();
	}, [api, templateKey, start, problem]);
	if (start.value !== null) return <Import start={start.value} />;
	return problem.value === null ? <p class="quiet">{t('app.loading')}</p> : <Problem>{problem.value}</Problem>;
}

function Import({ start }: { readonly start: ImportStart }) {
	const begun = useSignal({ start, round: 0 });
	const previewed = useSignal<Previewed | null>(null);
	return (
		<>
			<ImportForm
				// Fields take a new start only when they are made anew.
				key={begun.value.round}
				start={begun.value.start}
				onPreview={(outcome) => (previewed.value = outcome)}
			/>
			{previewed.value !== null && (
				<ImportPreview
					previewed={previewed.value}
					onEdit={({ key, document }) => {
						const corrected: ImportStart = { key, format: 'template', text: documentText(document) };
						previewed.value = null;
						begun.value = { start: corrected, round: begun.value.round + 1 };
						scrollTo(0, 0);
					}}
				/>
			)}
		</>
	);
}
