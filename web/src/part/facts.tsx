import type { ComponentChildren } from 'preact';

export interface FactEntry {
	readonly name: string;
	readonly value: ComponentChildren;
}

/** Named facts of one thing. */
export function Facts({ entries }: { readonly entries: readonly FactEntry[] }) {
	return (
		<dl class="facts">
			{entries.map(({ name, value }) => (
				<div key={name}>
					<dt>{name}</dt>
					<dd>{value}</dd>
				</div>
			))}
		</dl>
	);
}
