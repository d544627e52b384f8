import { useSignal } from '@preact/signals';

import { useForm } from '../state/form.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { AdoptedView, KnockView } from '../wire.ts';
import { Age } from './age.tsx';
import { type Column, Columns } from './columns.tsx';
import { FormProblem } from './field.tsx';
import { Once } from './once.tsx';

const PERIOD_MS = 10_000;
const PATH = '/api/v1/mqtt/knocking';

/** Devices that tried to log in at the broker and are not known; adopted with one click. Nothing while there are none. */
export function Knocking({ onAdopted }: { readonly onAdopted: () => void }) {
	const { api } = useServices();
	const { data, reload } = usePoll<readonly KnockView[]>(PATH, PERIOD_MS);
	const form = useForm([]);
	const adopted = useSignal<AdoptedView | null>(null);

	const adopt = (name: string) =>
		form.send(async () => {
			adopted.value = await api.post<AdoptedView>(`${PATH}/${encodeURIComponent(name)}/adopt`, {});
			reload();
			onAdopted();
		});

	const dismiss = (name: string) =>
		form.send(async () => {
			await api.remove(`${PATH}/${encodeURIComponent(name)}`);
			reload();
		});

	const columns: readonly Column<KnockView>[] = [
		{
			title: 'knocking.name',
			cell: ({ name, client_id, address, why, adoptable }) => (
				<>
					<strong>{name || client_id || t('knocking.nameless')}</strong>
					<small>{address}</small>
					{!adoptable && <small class="reason">{why}</small>}
				</>
			),
		},
		{ title: 'knocking.last', cell: ({ last_seen }) => <Age atMs={Date.parse(last_seen)} /> },
		{ title: 'knocking.tries', numeric: true, cell: ({ count }) => count },
		{
			title: 'app.actions',
			cell: ({ name, adoptable }) => (
				<div class="row-actions">
					{adoptable && (
						<button type="button" class="primary" disabled={form.busy.value} onClick={() => void adopt(name)}>
							{t('knocking.adopt')}
						</button>
					)}
					{name !== '' && (
						<button type="button" disabled={form.busy.value} onClick={() => void dismiss(name)}>
							{t('knocking.dismiss')}
						</button>
					)}
				</div>
			),
		},
	];

	const knocks = data.value ?? [];
	if (knocks.length === 0 && adopted.value === null) return null;
	return (
		<section class="card">
			<h2>{t('knocking.title')}</h2>
			<p class="quiet">{t('knocking.lead')}</p>
			<FormProblem form={form} />
			{knocks.length > 0 && <Columns columns={columns} rows={knocks} rowKey={({ name }) => name} />}
			{adopted.value !== null && (
				<Once
					title={t('knocking.adopted', { name: adopted.value.device.name })}
					lead={t('device.credentialsLead')}
					secrets={[
						{ label: t('once.username'), value: adopted.value.credentials.username },
						{ label: t('once.password'), value: adopted.value.credentials.password },
					]}
					onClose={() => {
						adopted.value = null;
					}}
				/>
			)}
		</section>
	);
}
