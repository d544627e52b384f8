import type { ComponentChildren } from 'preact';

import type { FormState } from '../state/form.ts';

interface MoreFieldsProps {
	readonly form: FormState;
	/** Fields inside. */
	readonly names: readonly string[];
	readonly title: string;
	/** Something in it is not as usual. */
	readonly isOpen?: boolean;
	readonly children: ComponentChildren;
}

/** Fields that few need; they open by themselves when one of them was refused. */
export function MoreFields({ form, names, title, isOpen = false, children }: MoreFieldsProps) {
	const isRefused = names.some((name) => form.fields.value[name] !== undefined);
	return (
		<details class="more" {...((isRefused || isOpen) && { open: true })}>
			<summary>{title}</summary>
			{children}
		</details>
	);
}
