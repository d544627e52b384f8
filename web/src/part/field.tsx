import { type ClassAttributes, type LooseInputHTMLAttributes, h } from 'preact';
import { useId } from 'preact/hooks';

import type { FormState } from '../state/form.ts';

interface FieldProps {
	readonly form: FormState;
	/** Path of the field in the body, e.g. `connection.line.host`; also its name. */
	readonly name: string;
	readonly label: string;
	readonly hint?: string;
}

interface TextFieldProps extends FieldProps {
	readonly type?: 'text' | 'password' | 'email' | 'url' | 'number' | 'datetime-local';
	readonly value?: string | number;
	readonly autocomplete?: string;
	readonly required?: boolean;
	readonly min?: number;
	readonly max?: number;
	readonly step?: 'any';
	/** What holds while the field is empty. */
	readonly placeholder?: string;
	readonly focus?: boolean;
}

/** Label, input, hint and the mistake in it, tied together for screen readers. */
export function TextField({ form, name, label, hint, focus, value, autocomplete, ...input }: TextFieldProps) {
	const id = useId();
	const mistake = form.fields.value[name];
	const attributes: LooseInputHTMLAttributes & ClassAttributes<HTMLInputElement> = {
		id,
		name,
		'aria-invalid': mistake !== undefined,
		'aria-describedby': `${id}-note`,
		spellcheck: false,
		autocapitalize: 'none',
		autocomplete,
		defaultValue: value,
		ref: (element) => {
			if (focus === true && element !== null && document.activeElement === document.body) element.focus();
		},
		...input,
	};
	return (
		<div class="field">
			<label for={id}>{label}</label>
			{h('input', attributes)}
			<FieldNote id={`${id}-note`} mistake={mistake} hint={hint} />
		</div>
	);
}

export interface Choice {
	readonly value: string;
	readonly label: string;
	readonly disabled?: boolean;
}

interface ChoiceFieldProps extends FieldProps {
	readonly choices: readonly Choice[];
	readonly value?: string;
	readonly onChoose?: (value: string) => void;
}

export function ChoiceField({ form, name, label, hint, choices, value, onChoose }: ChoiceFieldProps) {
	const id = useId();
	const mistake = form.fields.value[name];
	return (
		<div class="field">
			<label for={id}>{label}</label>
			<select
				id={id}
				name={name}
				aria-invalid={mistake !== undefined}
				aria-describedby={`${id}-note`}
				onChange={(event) => onChoose?.(event.currentTarget.value)}
			>
				{choices.map((choice) => (
					<option
						key={choice.value}
						value={choice.value}
						disabled={choice.disabled === true}
						selected={choice.value === value}
					>
						{choice.label}
					</option>
				))}
			</select>
			<FieldNote id={`${id}-note`} mistake={mistake} hint={hint} />
		</div>
	);
}

function FieldNote(props: {
	readonly id: string;
	readonly mistake: string | undefined;
	readonly hint: string | undefined;
}) {
	const text = props.mistake ?? props.hint ?? '';
	return (
		<p id={props.id} class={props.mistake === undefined ? 'hint' : 'mistake'} hidden={text === ''}>
			{text}
		</p>
	);
}

/** What no field shows. */
export function FormProblem({ form }: { readonly form: FormState }) {
	const problem = form.problem.value;
	return (
		<p class="mistake" role="alert" hidden={problem === null}>
			{problem}
		</p>
	);
}

/** The texts of a form by field name. */
export function readForm(form: HTMLFormElement): (name: string) => string {
	const entries = new FormData(form);
	return (name) => {
		const value = entries.get(name);
		return typeof value === 'string' ? value : '';
	};
}
