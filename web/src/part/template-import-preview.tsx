import { useEffect, useRef } from 'preact/hooks';

import { go } from '../router.ts';
import { useForm } from '../state/form.ts';
import { useServices } from '../state/services.ts';
import type { Previewed } from '../state/template-import.ts';
import { type TemplateTextKey, tt } from '../text-template.ts';
import type { ImportNoteView, TemplateImportView } from '../wire-template.ts';
import type { Column } from './columns.tsx';
import { FormProblem } from './field.tsx';
import { MoreColumns } from './more.tsx';
import { Status } from './status.tsx';
import { TemplateDiff } from './template-diff.tsx';

interface ImportPreviewProps {
	readonly previewed: Previewed;
	/** The document is to be corrected by hand. */
	readonly onEdit: (answer: TemplateImportView) => void;
}

/** What a file would be as a template: what is wrong with it and where, what would change, and the button that keeps it. */
export function ImportPreview({ previewed, onEdit }: ImportPreviewProps) {
	const { answer, current } = previewed;
	const section = useRef<HTMLElement>(null);
	// On a phone it begins below what is visible.
	useEffect(() => section.current?.scrollIntoView({ block: 'start' }), [answer]);
	return (
		<section ref={section} class="preview form-wide" data-preview={answer.is_sound ? 'sound' : 'unsound'}>
			<div class="card">
				<Verdict answer={answer} />
				{answer.is_sound && <Replaced previewed={previewed} />}
				<Keep previewed={previewed} onEdit={onEdit} />
			</div>
			<Notes notes={answer.notes} />
			{current !== null && answer.diff !== null && (
				<>
					<h2 class="section-title">{tt('preview.changes')}</h2>
					<TemplateDiff diff={answer.diff} />
				</>
			)}
		</section>
	);
}

const withSeverity = (notes: readonly ImportNoteView[], severity: ImportNoteView['severity']) =>
	notes.filter((note) => note.severity === severity);

function verdictText({ is_sound: isSound, notes }: TemplateImportView): string {
	if (isSound) return tt('preview.sound');
	const mistakes = withSeverity(notes, 'mistake').length;
	return mistakes === 0 ? tt('preview.empty') : tt('preview.unsound', { n: mistakes });
}

function Verdict({ answer }: { readonly answer: TemplateImportView }) {
	const { format, document, is_sound: isSound } = answer;
	return (
		<>
			<p class="marks">
				<Status tone={isSound ? 'ok' : 'bad'} icon={isSound ? 'ok' : 'offline'}>
					{verdictText(answer)}
				</Status>
				{document !== null && (
					<strong role="status">{tt('preview.points', { n: document.points?.length ?? 0 })}</strong>
				)}
			</p>
			<p class="quiet">
				{format === null ? tt('preview.asNothing') : tt('preview.asWhat', { format: formatName(format) })}
			</p>
		</>
	);
}

/** Mistakes first: they keep it from being kept. */
function Notes({ notes }: { readonly notes: readonly ImportNoteView[] }) {
	return (
		<>
			<h2 class="section-title">{tt('preview.notes')}</h2>
			{notes.length === 0 ? (
				<p class="quiet">{tt('preview.noNotes')}</p>
			) : (
				<div class="notes">
					<MoreColumns
						columns={NOTE_COLUMNS}
						rows={[...withSeverity(notes, 'mistake'), ...withSeverity(notes, 'warning')]}
						rowKey={(note) => JSON.stringify(note)}
					/>
				</div>
			)}
		</>
	);
}

const FORMATS: Readonly<Record<string, TemplateTextKey>> = {
	template: 'import.format.template',
	csv: 'import.format.csv',
	xlsx: 'import.format.xlsx',
	sunspec: 'import.format.sunspec',
	telegraf: 'import.format.telegraf',
	'home-assistant': 'import.format.home-assistant',
	thingsboard: 'import.format.thingsboard',
	neuron: 'import.format.neuron',
};

function formatName(format: string): string {
	const known = FORMATS[format];
	return known === undefined ? format : tt(known);
}

function replacedText({ answer, current }: Previewed): string | null {
	if (current === null) return tt('preview.new');
	if (current.origin === 'hub') return tt('preview.ofHub');
	if (current.origin === 'product') return tt('preview.overProduct');
	return answer.diff === null ? tt('preview.replacesBroken') : null;
}

/** What has its key now. */
function Replaced({ previewed }: { readonly previewed: Previewed }) {
	const text = replacedText(previewed);
	return text === null ? null : <p class={previewed.current?.origin === 'hub' ? 'warn-text' : 'quiet'}>{text}</p>;
}

function Keep({ previewed: { answer, current, checksum }, onEdit }: ImportPreviewProps) {
	const { api } = useServices();
	const form = useForm([]);
	const refused = Object.entries(form.fields.value);
	const { key, document } = answer;
	return (
		<>
			{refused.length === 0 ? (
				<FormProblem form={form} />
			) : (
				<div role="alert">
					<p class="mistake">{tt('preview.refused')}</p>
					<ul class="sentences mistakes">
						{refused.map(([field, sentence]) => (
							<li key={field}>
								<code>{field}</code> {sentence}
							</li>
						))}
					</ul>
				</div>
			)}
			<div class="actions">
				{answer.is_sound && current?.origin !== 'hub' && (
					<button
						type="button"
						class="primary"
						disabled={form.busy.value}
						onClick={() =>
							void form.send(async () => {
								await api.put(`/api/v1/templates/${key}`, document, checksum);
								go('templates', key);
							})
						}
					>
						{tt('preview.keep', { key })}
					</button>
				)}
				{document !== null && (
					<button type="button" onClick={() => onEdit(answer)}>
						{tt('preview.edit')}
					</button>
				)}
			</div>
		</>
	);
}

/** Where it stands, in the words of the program that made the file. */
function placeText({ line, column, sheet, cell }: ImportNoteView): string {
	if (sheet !== null && cell !== null) return tt('preview.sheetCell', { sheet, cell });
	if (line === null) return tt('preview.whole');
	if (sheet !== null) return tt('preview.sheetLine', { sheet, line });
	return column === null ? tt('preview.line', { line }) : tt('preview.lineColumn', { line, column });
}

const NOTE_COLUMNS: readonly Column<ImportNoteView>[] = [
	{
		title: { words: tt('preview.place') },
		cell: (note) => <strong>{placeText(note)}</strong>,
	},
	{
		title: { words: tt('preview.rule') },
		cell: ({ rule, value }) => (
			<>
				{rule}
				{value !== null && value !== '' && <small class="reason">{tt('preview.found', { value })}</small>}
			</>
		),
	},
	{
		title: { words: tt('preview.field') },
		cell: ({ field }) => (field === null || field === '' ? '–' : <code>{field}</code>),
	},
	{
		title: { words: tt('preview.severity') },
		cell: ({ severity }) => (
			<Status tone={severity === 'mistake' ? 'bad' : 'warn'} icon={severity === 'mistake' ? 'offline' : 'degraded'}>
				{tt(`preview.${severity}`)}
			</Status>
		),
	},
];
