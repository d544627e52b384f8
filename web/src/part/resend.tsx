import { useSignal } from '@preact/signals';

import { formatCount } from '../format.ts';
import { useForm } from '../state/form.ts';
import { useServices } from '../state/services.ts';
import { tl } from '../text-ledger.ts';
import { FormProblem } from './field.tsx';

interface ResendProps {
	/** Of the gateway. */
	readonly path: string;
	readonly onDone: () => void;
}

/** Asks a gateway again for what the hub lacks, and tells what came of asking; for whoever may. */
export function Resend({ path, onDone }: ResendProps) {
	const { api, me } = useServices();
	const form = useForm([]);
	const asked = useSignal<number | null>(null);
	if (!me.may('gateways:delete')) return null;

	const ask = () =>
		form.send(async () => {
			asked.value = null;
			const answer = await api.post<{ readonly asked_samples: number }>(`${path}/resend`, {});
			asked.value = answer.asked_samples;
			onDone();
		});

	return (
		<div class="resend">
			<FormProblem form={form} />
			<div class="actions">
				<button type="button" disabled={form.busy.value} onClick={() => void ask()}>
					{tl('resend.ask')}
				</button>
				<span class="quiet">{tl('resend.lead')}</span>
			</div>
			<p role="status">
				{asked.value !== null &&
					(asked.value === 0 ? tl('resend.nothing') : tl('resend.asked', { n: formatCount(asked.value) }))}
			</p>
		</div>
	);
}
