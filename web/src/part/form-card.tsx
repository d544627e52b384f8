import type { ComponentChildren, Ref } from 'preact';

import type { FormState } from '../state/form.ts';
import { Mistyped } from '../state/mistyped.ts';
import { FormProblem } from './field.tsx';

interface FormCardProps {
	readonly form: FormState;
	/** What the form is for, above what went wrong. */
	readonly head: ComponentChildren;
	readonly children: ComponentChildren;
	/** What the button says. */
	readonly submit: string;
	/** Beside the button. */
	readonly aside?: ComponentChildren;
	readonly formRef?: Ref<HTMLFormElement>;
	readonly onInput?: () => void;
	/** Sends it. @throws Mistyped, which is then shown at its field */
	readonly onSubmit: (element: HTMLFormElement) => Promise<void>;
}

/** A form as wide as the page: what it is for, what went wrong, its fields, and a button that rests while it is sent. */
export function FormCard({ form, head, children, submit, aside, formRef, onInput, onSubmit }: FormCardProps) {
	async function send(element: HTMLFormElement): Promise<void> {
		try {
			await onSubmit(element);
		} catch (error) {
			if (!(error instanceof Mistyped)) throw error;
			form.refuse(error.field, error.message);
		}
	}

	return (
		<form
			ref={formRef ?? null}
			class="card form-wide"
			// The server's sentences name the rule and the value; the browser's own bubbles would come first and say less.
			noValidate
			onInput={onInput}
			onSubmit={(event) => {
				event.preventDefault();
				void send(event.currentTarget);
			}}
		>
			{head}
			<FormProblem form={form} />
			{children}
			<div class="actions">
				<button class="primary" disabled={form.busy.value}>
					{submit}
				</button>
				{aside}
			</div>
		</form>
	);
}
