import type { ComponentChildren } from 'preact';

import { formatCount } from '../format.ts';

export interface FactEntry {
	readonly name: string;
	readonly value: ComponentChildren;
}

export const countFact = (name: string, count: number): FactEntry => ({ name, value: formatCount(count) });

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
