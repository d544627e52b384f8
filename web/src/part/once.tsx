import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import { t } from '../text.ts';

export interface Secret {
	readonly label: string;
	readonly value: string;
}

interface OnceProps {
	readonly title: string;
	readonly lead: string;
	readonly secrets: readonly Secret[];
	readonly onClose: () => void;
	readonly children?: ComponentChildren;
}

/** A dialog for what the server tells only once. */
export function Once({ title, lead, secrets, onClose, children }: OnceProps) {
	const dialog = useRef<HTMLDialogElement>(null);
	useEffect(() => dialog.current?.showModal(), []);
	return (
		<dialog ref={dialog} aria-labelledby="once-title" onClose={onClose}>
			<h2 id="once-title">{title}</h2>
			<p>{lead}</p>
			{secrets.map((secret) => (
				<SecretRow key={secret.label} {...secret} />
			))}
			{children}
			<p class="warn-text">{t('once.shown')}</p>
			<form method="dialog">
				<button class="primary">{t('once.close')}</button>
			</form>
		</dialog>
	);
}

function SecretRow({ label, value }: Secret) {
	const copied = useSignal(false);
	// Browsers offer the clipboard on https and localhost only; elsewhere the text is selected by hand.
	const clipboard: Clipboard | undefined = navigator.clipboard;

	async function copy(): Promise<void> {
		try {
			await clipboard?.writeText(value);
			copied.value = true;
		} catch {
			copied.value = false;
		}
	}

	return (
		<div class="secret">
			<span class="secret-label">{label}</span>
			<code>{value}</code>
			{clipboard !== undefined && (
				<button type="button" onClick={() => void copy()}>
					{copied.value ? t('once.copied') : t('once.copy')}
				</button>
			)}
		</div>
	);
}
