import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { useServices } from '../state/services.ts';
import { tf } from '../text-field.ts';
import type { BudgetView } from '../wire-field.ts';
import { Status } from './status.tsx';

/** Somebody who types is not asked about each letter. */
const PAUSE_MS = 700;

/** What the line will need with this device, before it is saved. @param draft body of the question as JSON; `null`: incomplete */
export function BudgetPreview({ draft }: { readonly draft: string | null }) {
	const { api } = useServices();
	const budget = useSignal<BudgetView | null>(null);
	useEffect(() => {
		let isWanted = true;
		budget.value = null;
		async function ask(): Promise<void> {
			try {
				const answer = await api.post<BudgetView>('/api/v1/lines/budget', JSON.parse(draft ?? 'null'));
				if (isWanted) budget.value = answer;
			} catch {
				// What is wrong with the form is said when it is sent.
			}
		}
		const timer = draft === null ? undefined : setTimeout(() => void ask(), PAUSE_MS);
		return () => {
			isWanted = false;
			clearTimeout(timer);
		};
	}, [api, budget, draft]);

	const found = budget.value;
	if (found === null) return null;
	const { sentence, line, need_share: share } = found;
	return (
		<p class="budget" role="status">
			<Status tone={sentence === null ? 'ok' : 'warn'} icon={sentence === null ? 'ok' : 'degraded'}>
				{sentence ?? tf('add.budgetFits', { line, s: String(Number(share.toPrecision(2))) })}
			</Status>
		</p>
	);
}
