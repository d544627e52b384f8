import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

import { t } from '../text.ts';
import { Modal } from './modal.tsx';

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
	return (
		<Modal title={title} onClose={onClose}>
			{(close) => (
				<>
					<p>{lead}</p>
					{secrets.map((secret) => (
						<SecretRow key={secret.label} {...secret} />
					))}
					{children}
					<p class="warn-text">{t('once.shown')}</p>
					<button type="button" class="primary" onClick={close}>
						{t('once.close')}
					</button>
				</>
			)}
		</Modal>
	);
}

/** A text to be copied. */
export function SecretRow({ label, value }: Secret) {
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
