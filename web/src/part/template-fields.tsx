import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';

import { link } from '../router.ts';
import { optionField } from '../state/device-body.ts';
import type { FormState } from '../state/form.ts';
import { useServices } from '../state/services.ts';
import { tf } from '../text-field.ts';
import type { ConnectionView, OptionValue, TemplateOptionView, TemplateView } from '../wire-field.ts';
import { ChoiceField, TextField } from './field.tsx';
import { Status } from './status.tsx';

const NAME = 'connection.template';

interface TemplateFieldsProps {
	readonly form: FormState;
	readonly templates: readonly TemplateView[];
	readonly chosen: string;
	readonly onChoose: (key: string) => void;
	/** Why there is no list. */
	readonly problem: string | null;
	/** What the device has, with its options. */
	readonly preset: ConnectionView | null;
}

const wordsOf = ({ key, manufacturer, model, variants = [] }: TemplateView): string =>
	[key, manufacturer, model, ...variants].join(' ').toLowerCase();

/** Templates that have all the words. */
function found(templates: readonly TemplateView[], wanted: string): readonly TemplateView[] {
	const words = wanted.toLowerCase().split(/\s+/);
	return templates.filter((template) => words.every((word) => wordsOf(template).includes(word)));
}

function labelOf({ model, key, mistakes = [], verification }: TemplateView): string {
	const name = model === '' ? key : model;
	if (mistakes.length > 0) return `${name} (${tf('add.templateBad', { n: mistakes.length })})`;
	return verification === 'unverified' ? `${name} (${tf('add.unverified')})` : name;
}

/** The model of the device: searched by maker and model, and chosen from what is left. */
export function TemplateFields({ form, templates, chosen, onChoose, problem, preset }: TemplateFieldsProps) {
	const { me } = useServices();
	const wanted = useSignal('');
	const left = found(templates, wanted.value);
	// An empty list has not come yet: the product ships templates.
	const isNone = templates.length > 0 && left.length === 0;
	const template = templates.find(({ key }) => key === chosen);
	return (
		<>
			<SearchField
				onInput={(text) => {
					wanted.value = text;
					const usable = found(templates, text).filter(({ mistakes = [] }) => mistakes.length === 0);
					const [only] = usable;
					// What is found alone is meant; what was chosen is given up only for something else.
					if (text !== '' && usable.length === 1 && only !== undefined) onChoose(only.key);
				}}
			/>
			<TemplateSelect
				form={form}
				left={left}
				isNone={isNone}
				template={template}
				onChoose={onChoose}
				problem={problem}
			/>
			{isNone && me.may('templates:write') && (
				<p>
					<a class="button" href={link('import-template')}>
						{tf('add.templateImport')}
					</a>
				</p>
			)}
			{template !== undefined && <TemplateFacts template={template} />}
			{template?.options?.map((option, index) => (
				<OptionField
					key={`${template.key}/${option.name}`}
					form={form}
					option={option}
					index={index}
					value={valueOf(option, template.key === preset?.template ? preset : null)}
				/>
			))}
		</>
	);
}

function SearchField({ onInput }: { readonly onInput: (text: string) => void }) {
	const id = useId();
	return (
		<div class="field">
			<label for={id}>{tf('add.templates')}</label>
			<input
				id={id}
				type="text"
				inputMode="search"
				placeholder={tf('add.templatesHint')}
				autocomplete="off"
				spellcheck={false}
				onInput={(event) => onInput(event.currentTarget.value)}
				onKeyDown={(event) => {
					// The search is no answer to the form.
					if (event.key === 'Enter') event.preventDefault();
				}}
			/>
		</div>
	);
}

interface TemplateSelectProps extends Pick<TemplateFieldsProps, 'form' | 'onChoose' | 'problem'> {
	readonly left: readonly TemplateView[];
	/** Nothing has what is searched. */
	readonly isNone: boolean;
	readonly template: TemplateView | undefined;
}

function TemplateSelect({ form, left, isNone, template, onChoose, problem }: TemplateSelectProps) {
	const id = useId();
	const mistake = form.fields.value[NAME];
	const isHidden = template !== undefined && !left.includes(template);
	const shown = isHidden ? [template, ...left] : left;
	const makers = [...new Set(shown.map(({ manufacturer }) => manufacturer))].toSorted((a, b) => a.localeCompare(b));
	const note = mistake ?? problem ?? (isNone ? tf('add.templateNoMatch') : '');
	return (
		<div class="field">
			<label for={id}>{tf('add.template')}</label>
			<select
				id={id}
				name={NAME}
				aria-invalid={mistake !== undefined}
				aria-describedby={`${id}-note`}
				onChange={(event) => onChoose(event.currentTarget.value)}
			>
				<option value="" selected={template === undefined}>
					{tf('add.templateNone')}
				</option>
				{makers.map((maker) => (
					<optgroup key={maker} label={maker}>
						{shown
							.filter(({ manufacturer }) => manufacturer === maker)
							.map((each) => (
								<option
									key={each.key}
									value={each.key}
									disabled={(each.mistakes ?? []).length > 0}
									selected={each === template}
								>
									{labelOf(each)}
								</option>
							))}
					</optgroup>
				))}
			</select>
			<p id={`${id}-note`} class={mistake === undefined ? 'hint' : 'mistake'} hidden={note === ''}>
				{note}
			</p>
		</div>
	);
}

const LETTER: Readonly<Record<string, string>> = { none: 'N', even: 'E', odd: 'O' };

/** e.g. `9600 8N1, unit 1`; `null`: not known. */
function factoryOf({ comm_defaults: comm = null }: TemplateView): string | null {
	if (comm === null) return null;
	const frame = `${comm.data_bits ?? 8}${LETTER[comm.parity ?? 'none'] ?? ''}${comm.stop_bits ?? 1}`;
	const parts = [
		...(comm.baud_rate === null ? [] : [`${comm.baud_rate} ${frame}`]),
		...(comm.unit_id === null ? [] : [tf('add.factoryUnit', { unit: comm.unit_id })]),
	];
	return parts.length === 0 ? null : tf('add.factory', { settings: parts.join(', ') });
}

/** How far it can be trusted, and how the device comes. */
function TemplateFacts({ template }: { readonly template: TemplateView }) {
	const { verification = null, points } = template;
	const facts = [...(points === undefined ? [] : [tf('add.points', { n: points })]), factoryOf(template)];
	const isChecked = verification === 'two sources';
	return (
		<div class="field template-facts">
			{verification !== null && (
				<Status tone={isChecked ? 'ok' : 'warn'} icon={isChecked ? 'ok' : 'degraded'}>
					{tf(`add.verified.${verification}`)}
				</Status>
			)}
			<small>{facts.filter((fact) => fact !== null).join('. ')}</small>
			{/* In a tab of its own: the form keeps what was typed. */}
			<a class="cell-link" href={link('templates', template.key)} target="_blank">
				{tf('add.templateShow')}
			</a>
		</div>
	);
}

/** What the device has for an option, or else its default. */
const valueOf = ({ name, default: usual }: TemplateOptionView, preset: ConnectionView | null): OptionValue =>
	preset?.options?.find((option) => option.name === name)?.value ?? usual;

interface OptionFieldProps {
	readonly form: FormState;
	readonly option: TemplateOptionView;
	readonly index: number;
	readonly value: OptionValue;
}

/** A variable of the template, by its type and its choices. */
function OptionField({ form, option, index, value: own }: OptionFieldProps) {
	const field = { form, name: optionField(index), label: option.label };
	const choices =
		option.choices ??
		(option.type === 'boolean'
			? [
					{ value: true, label: tf('add.yes') },
					{ value: false, label: tf('add.no') },
				]
			: null);
	if (choices === null)
		return <TextField {...field} value={String(own)} {...(option.type === 'number' && { type: 'number' })} />;
	return (
		<ChoiceField
			{...field}
			choices={choices.map(({ value, label }) => ({ value: String(value), label }))}
			value={String(own)}
		/>
	);
}
