import { type ReadonlySignal, useSignal } from '@preact/signals';

import { ApiError } from '../api.ts';
import { t } from '../text.ts';

/** State of one form while it is sent. */
export interface FormState {
	readonly busy: ReadonlySignal<boolean>;
	/** Sentence by field path. */
	readonly fields: ReadonlySignal<Readonly<Record<string, string>>>;
	/** What went wrong, when no field shows it. */
	readonly problem: ReadonlySignal<string | null>;
	/** Shows a mistake found before sending. */
	readonly refuse: (field: string, sentence: string) => void;
	readonly send: (task: () => Promise<void>) => Promise<void>;
}

/**
 * Sends a form and sorts what the server says to the fields.
 * @param known fields the form shows; mistakes of others are shown above the form, so that none is lost
 */
export function useForm(known: readonly string[]): FormState {
	const busy = useSignal(false);
	const fields = useSignal<Readonly<Record<string, string>>>({});
	const problem = useSignal<string | null>(null);

	function explain(error: unknown): void {
		if (!(error instanceof ApiError)) {
			problem.value = t('error.unreachable');
			return;
		}
		fields.value = error.fields;
		const elsewhere = Object.entries(error.fields).filter(([field]) => !known.includes(field));
		if (error.status === 429) problem.value = t('error.tooMany', { seconds: error.retryAfterS ?? 1 });
		else if (elsewhere.length > 0)
			problem.value = elsewhere.map(([field, sentence]) => `${field}: ${sentence}`).join('. ');
		else if (Object.keys(error.fields).length === 0) problem.value = error.message;
	}

	return {
		busy,
		fields,
		problem,
		refuse(field, sentence) {
			fields.value = { [field]: sentence };
			problem.value = null;
		},
		async send(task) {
			if (busy.value) return;
			busy.value = true;
			fields.value = {};
			problem.value = null;
			try {
				await task();
			} catch (error) {
				explain(error);
			} finally {
				busy.value = false;
			}
		},
	};
}
