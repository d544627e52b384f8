import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';

import { formatBytes } from '../format.ts';
import { type FormState, useForm } from '../state/form.ts';
import { Mistyped } from '../state/mistyped.ts';
import { useServices } from '../state/services.ts';
import { MAX_FILE_BYTES, type Previewed, fileBody, importOptions, preview } from '../state/template-import.ts';
import { tt } from '../text-template.ts';
import { ChoiceField, TextField, readForm } from './field.tsx';
import { FormCard } from './form-card.tsx';
import { MoreFields } from './more-fields.tsx';

/** What the form begins with. */
export interface ImportStart {
	readonly key: string;
	readonly format: string;
	/** `null`: a file is to be chosen. */
	readonly text: string | null;
}

const FORMATS = [
	'auto',
	'template',
	'csv',
	'xlsx',
	'sunspec',
	'telegraf',
	'home-assistant',
	'thingsboard',
	'neuron',
] as const;
const ADDRESSINGS = ['auto', 'zero', 'one', 'reference'] as const;
const FUNCTIONS = [3, 4, 1, 2] as const;

const OPTIONS = ['manufacturer', 'model', 'category', 'addressing', 'function', 'unit_id', 'sunspec_address'].map(
	(name) => `options.${name}`,
);
const KNOWN = ['content', 'format', 'key', ...OPTIONS];

interface ImportFormProps {
	readonly start: ImportStart;
	/** Gets what the file would be; `null` as soon as another one is looked at. */
	readonly onPreview: (outcome: Previewed | null) => void;
}

/** Which file it is, and how it is to be read. */
export function ImportForm({ start, onPreview }: ImportFormProps) {
	const { api } = useServices();
	const form = useForm(KNOWN);
	const isFile = useSignal(start.text === null);
	const file = useSignal<File | null>(null);

	/** @throws Mistyped */
	function contentOf(text: string) {
		if (!isFile.value) {
			if (text.trim() === '') throw new Mistyped('content', tt('import.pasteSomething'));
			return Promise.resolve({ content: text, encoding: 'text' });
		}
		const chosen = file.value;
		if (chosen === null) throw new Mistyped('content', tt('import.chooseFile'));
		if (chosen.size > MAX_FILE_BYTES)
			throw new Mistyped('content', tt('import.tooLarge', { size: formatBytes(chosen.size) }));
		return fileBody(chosen);
	}

	/** @throws Mistyped */
	async function submit(element: HTMLFormElement): Promise<void> {
		const field = readForm(element);
		const key = field('key').trim();
		onPreview(null);
		const body = {
			...(await contentOf(field('content'))),
			format: field('format'),
			...(key !== '' && { key }),
			options: importOptions(field),
		};
		await form.send(async () => onPreview(await preview(api, body)));
	}

	return (
		<FormCard
			form={form}
			head={<p class="quiet">{tt('import.lead')}</p>}
			submit={tt(form.busy.value ? 'import.reading' : 'import.preview')}
			// What is seen below is what would be kept, and not what was typed since.
			onInput={() => onPreview(null)}
			onSubmit={submit}
		>
			<fieldset class="choice">
				<legend>{tt('import.from')}</legend>
				{[true, false].map((each) => (
					<label key={String(each)}>
						<input type="radio" name="from" checked={each === isFile.value} onChange={() => (isFile.value = each)} />
						<span>{tt(each ? 'import.file' : 'import.paste')}</span>
					</label>
				))}
			</fieldset>
			<ContentField form={form} start={start} isFile={isFile.value} onFile={(chosen) => (file.value = chosen)} />
			<div class="fields">
				<ChoiceField
					form={form}
					name="format"
					label={tt('import.format')}
					value={start.format}
					choices={FORMATS.map((value) => ({ value, label: tt(`import.format.${value}`) }))}
				/>
				<TextField
					form={form}
					name="key"
					label={tt('import.key')}
					hint={tt('import.keyHint')}
					value={start.key}
					autocomplete="off"
				/>
			</div>
			<ReadingFields form={form} />
		</FormCard>
	);
}

interface ContentFieldProps {
	readonly form: FormState;
	readonly start: ImportStart;
	readonly isFile: boolean;
	readonly onFile: (file: File | null) => void;
}

/** The file, or its text; both stay while the other one is looked at. */
function ContentField({ form, start, isFile, onFile }: ContentFieldProps) {
	const id = useId();
	const mistake = form.fields.value['content'];
	const said = { 'aria-invalid': mistake !== undefined, 'aria-describedby': `${id}-note` };
	return (
		<>
			<div class="field" hidden={!isFile}>
				<label for={`${id}-file`}>{tt('import.file')}</label>
				<input
					id={`${id}-file`}
					type="file"
					{...said}
					onChange={({ currentTarget }) => onFile(currentTarget.files?.[0] ?? null)}
				/>
			</div>
			<div class="field" hidden={isFile}>
				<label for={`${id}-text`}>{tt('import.content')}</label>
				<textarea
					id={`${id}-text`}
					class="code"
					name="content"
					rows={12}
					spellcheck={false}
					autocapitalize="none"
					defaultValue={start.text ?? ''}
					{...said}
				/>
			</div>
			<p id={`${id}-note`} class="mistake field" hidden={mistake === undefined}>
				{mistake}
			</p>
		</>
	);
}

/** What the file does not say, and how it is to be read. */
function ReadingFields({ form }: { readonly form: FormState }) {
	return (
		<MoreFields form={form} names={OPTIONS} title={tt('import.more')}>
			<div class="fields">
				<TextField form={form} name="options.manufacturer" label={tt('import.manufacturer')} autocomplete="off" />
				<TextField form={form} name="options.model" label={tt('import.model')} autocomplete="off" />
				<TextField
					form={form}
					name="options.category"
					label={tt('import.category')}
					hint={tt('import.categoryHint')}
					autocomplete="off"
				/>
				<ChoiceField
					form={form}
					name="options.addressing"
					label={tt('import.addressing')}
					value="auto"
					choices={ADDRESSINGS.map((value) => ({ value, label: tt(`import.addressing.${value}`) }))}
				/>
				<ChoiceField
					form={form}
					name="options.function"
					label={tt('import.function')}
					value="3"
					choices={FUNCTIONS.map((code) => ({ value: String(code), label: tt(`import.function.${code}`) }))}
				/>
				<TextField form={form} name="options.unit_id" label={tt('import.unitId')} hint={tt('import.unitIdHint')} />
				<TextField form={form} name="options.sunspec_address" label={tt('import.sunspecAddress')} value={40_070} />
			</div>
		</MoreFields>
	);
}
