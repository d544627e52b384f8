import type { ComponentChildren } from 'preact';

import type { FormState } from '../state/form.ts';

interface MoreFieldsProps {
	readonly form: FormState;
	/** Fields inside. */
	readonly names: readonly string[];
	readonly title: string;
	readonly children: ComponentChildren;
}

/** Fields that few need; they open by themselves when one of them was refused. */
export function MoreFields({ form, names, title, children }: MoreFieldsProps) {
	const isRefused = names.some((name) => form.fields.value[name] !== undefined);
	return (
		<details class="more" {...(isRefused && { open: true })}>
			<summary>{title}</summary>
			{children}
		</details>
	);
}
