import { useSignal } from '@preact/signals';
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

/** Fields that few need; they open by themselves when one of them was refused, and stay as somebody leaves them. */
export function MoreFields({ form, names, title, isOpen = false, children }: MoreFieldsProps) {
	const isKept = useSignal(isOpen);
	const isRefused = names.some((name) => form.fields.value[name] !== undefined);
	return (
		<details
			class="more"
			open={isRefused || isKept.value}
			onToggle={(event) => (isKept.value = event.currentTarget.open)}
		>
			<summary>{title}</summary>
			{children}
		</details>
	);
}
