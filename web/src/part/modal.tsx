import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

interface ModalProps {
	readonly title: string;
	/** Told when it is closed, in whatever way. */
	readonly onClose: () => void;
	/** Gets what closes it. */
	readonly children: (close: () => void) => ComponentChildren;
}

/** What had the focus last outside of dialogs: a button that is disabled while it works has lost it when its dialog opens. */
let lastFocused: Element | null = null;

addEventListener('focusin', ({ target }) => {
	if (target instanceof Element && target.closest('dialog') === null) lastFocused = target;
});

/** Nobody who works with the keyboard begins at the top of the page again. */
function giveFocusBack(): void {
	const here = document.activeElement;
	// A browser that found nothing to return to leaves it on what has just been hidden.
	if (here !== null && here !== document.body && here.closest('dialog') === null) return;
	if (lastFocused instanceof HTMLElement && lastFocused.isConnected) lastFocused.focus();
	if (document.activeElement === here) document.querySelector<HTMLElement>('#main')?.focus();
}

/** A dialog over the page: Escape closes it, and the focus returns to where it was. */
export function Modal({ title, onClose, children }: ModalProps) {
	const dialog = useRef<HTMLDialogElement>(null);
	const id = useId();
	useEffect(() => dialog.current?.showModal(), []);
	return (
		<dialog
			ref={dialog}
			aria-labelledby={id}
			onClose={() => {
				giveFocusBack();
				onClose();
			}}
		>
			<h2 id={id}>{title}</h2>
			{children(() => dialog.current?.close())}
		</dialog>
	);
}
