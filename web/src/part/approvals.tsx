import { useForm } from '../state/form.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { UserView } from '../wire.ts';
import { Age } from './age.tsx';
import { type Column, Columns } from './columns.tsx';
import { FormProblem } from './field.tsx';

const PERIOD_MS = 15_000;
const MOST = 100;

/** Accounts that people made for themselves and that may not log in yet. Nothing while there are none. */
export function Approvals({ onChanged }: { readonly onChanged: () => void }) {
	const { api, me, session } = useServices();
	const { data, reload } = usePoll<readonly UserView[]>(`/api/v1/users/?disabled=true&limit=${MOST}`, PERIOD_MS);
	const form = useForm([]);

	const decide = (task: () => Promise<unknown>) =>
		form.send(async () => {
			await task();
			reload();
			onChanged();
		});

	const columns: readonly Column<UserView>[] = [
		{
			title: 'users.name',
			cell: ({ full_name, email, username }) => (
				<>
					<strong>{full_name || username}</strong>
					<small class="id">{email}</small>
				</>
			),
		},
		{ title: 'approvals.since', cell: ({ created_at }) => <Age atMs={Date.parse(created_at)} /> },
		{
			title: 'app.actions',
			cell: ({ id }) => (
				<div class="row-actions">
					<button
						type="button"
						class="primary"
						onClick={() => void decide(() => api.patch(`/api/v1/users/${id}`, { is_active: true }))}
					>
						{t('approvals.approve')}
					</button>
					{me.may('users:delete') && (
						<button type="button" onClick={() => void decide(() => api.remove(`/api/v1/users/${id}`))}>
							{t('approvals.refuse')}
						</button>
					)}
				</div>
			),
		},
	];

	// Whoever was locked out later has logged in before.
	const waiting = (data.value ?? []).filter(({ last_login }) => last_login === null);
	if (session.registration.value !== 'approval' || waiting.length === 0 || !me.may('users:write')) return null;
	return (
		<section class="card">
			<h2>{t('approvals.title')}</h2>
			<p class="quiet">{t('approvals.lead')}</p>
			<FormProblem form={form} />
			<Columns columns={columns} rows={waiting} rowKey={({ id }) => id} />
		</section>
	);
}
