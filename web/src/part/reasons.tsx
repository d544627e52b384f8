import { Reason, hintOf, lookOf } from './reason.tsx';

export interface ReasonEntry {
	readonly reason: string;
	/** How much of it there is. */
	readonly amount: string;
}

/** Why things are missing, how much, and what a person can do about it. */
export function Reasons({ entries }: { readonly entries: readonly ReasonEntry[] }) {
	return (
		<ul class="reasons">
			{entries.map(({ reason, amount }) => (
				<li key={reason}>
					<span class={`swatch ${lookOf(reason).tone}`} aria-hidden="true" />
					<Reason reason={reason} />
					<span class="quiet">{amount}</span>
					<span class="reason">{hintOf(reason)}</span>
				</li>
			))}
		</ul>
	);
}
