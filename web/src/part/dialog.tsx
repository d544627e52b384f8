import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

import type { FormState } from '../state/form.ts';
import { t } from '../text.ts';
import { FormProblem, readForm } from './field.tsx';

interface FormDialogProps {
	readonly title: string;
	readonly form: FormState;
	readonly submit: string;
	/** Shows the button as one that takes something away. */
	readonly danger?: boolean;
	/** Sends what was typed; the dialog closes when it is through. */
	readonly onSend: (field: (name: string) => string) => Promise<void>;
	readonly onClose: () => void;
	readonly children?: ComponentChildren;
}

/** A form in a dialog: sends, shows what was refused beside its field, and closes when it was taken. */
export function FormDialog({ title, form, submit, danger, onSend, onClose, children }: FormDialogProps) {
	const dialog = useRef<HTMLDialogElement>(null);
	const id = useId();
	useEffect(() => dialog.current?.showModal(), []);
	return (
		<dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
			<h2 id={id}>{title}</h2>
			<form
				onSubmit={(event) => {
					event.preventDefault();
					const field = readForm(event.currentTarget);
					void form.send(async () => {
						await onSend(field);
						dialog.current?.close();
					});
				}}
			>
				<FormProblem form={form} />
				{children}
				<div class="actions">
					<button class={danger === true ? 'danger' : 'primary'} disabled={form.busy.value}>
						{submit}
					</button>
					<button type="button" onClick={() => dialog.current?.close()}>
						{t('app.cancel')}
					</button>
				</div>
			</form>
		</dialog>
	);
}
