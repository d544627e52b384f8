import { useSignal } from '@preact/signals';

import { useForm } from '../state/form.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { ConflictView, OutcomeView } from '../wire-configuration.ts';
import { type Column, Columns } from './columns.tsx';
import { FormProblem } from './field.tsx';
import { shownValue } from './patch.tsx';

type Side = 'gateway' | 'hub';

const SIDES: readonly Side[] = ['gateway', 'hub'];

interface ConflictsProps {
	readonly outcome: OutcomeView;
	/** Path of the gateway's configuration. */
	readonly path: string;
	readonly onDone: () => void;
}

/** Places that both sides have changed; a person says whose value counts, and the revision is applied with that. */
export function Conflicts({ outcome: { revision, conflicts }, path, onDone }: ConflictsProps) {
	const { api } = useServices();
	const form = useForm([]);
	const decisions = useSignal<Readonly<Record<string, Side>>>({});

	const columns: readonly Column<ConflictView>[] = [
		{ title: 'config.path', cell: (conflict) => <code>{conflict.path}</code> },
		{ title: 'config.gatewayValue', cell: ({ gateway }) => <code>{shownValue(gateway)}</code> },
		{ title: 'config.hubValue', cell: ({ hub }) => <code>{shownValue(hub)}</code> },
		{
			title: 'config.counts',
			cell: (conflict) => (
				<div class="row-actions">
					{SIDES.map((side) => (
						<button
							key={side}
							type="button"
							aria-pressed={decisions.value[conflict.path] === side}
							class={decisions.value[conflict.path] === side ? 'primary' : ''}
							onClick={() => (decisions.value = { ...decisions.value, [conflict.path]: side })}
						>
							{t(`config.prefer.${side}`)}
						</button>
					))}
				</div>
			),
		},
	];

	const isDecided = conflicts.every((conflict) => decisions.value[conflict.path] !== undefined);

	const apply = () =>
		form.send(async () => {
			await api.post(`${path}/revisions/${revision}/apply`, { decisions: decisions.value });
			onDone();
		});

	return (
		<section class="card">
			<h2>{t('config.conflicts')}</h2>
			<p>{t('config.conflictsLead', { n: revision })}</p>
			<FormProblem form={form} />
			<Columns columns={columns} rows={conflicts} rowKey={(conflict) => conflict.path} />
			<div class="actions">
				<button type="button" class="primary" disabled={!isDecided || form.busy.value} onClick={() => void apply()}>
					{t('config.apply')}
				</button>
			</div>
		</section>
	);
}
