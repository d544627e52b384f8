import type { ComponentChildren } from 'preact';

import type { FormState } from '../state/form.ts';
import { t } from '../text.ts';
import { FormProblem, readForm } from './field.tsx';
import { Modal } from './modal.tsx';

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
	return (
		<Modal title={title} onClose={onClose}>
			{(close) => (
				<form
					onSubmit={(event) => {
						event.preventDefault();
						const field = readForm(event.currentTarget);
						void form.send(async () => {
							await onSend(field);
							close();
						});
					}}
				>
					<FormProblem form={form} />
					{children}
					<div class="actions">
						<button class={danger === true ? 'danger' : 'primary'} disabled={form.busy.value}>
							{submit}
						</button>
						<button type="button" onClick={close}>
							{t('app.cancel')}
						</button>
					</div>
				</form>
			)}
		</Modal>
	);
}
