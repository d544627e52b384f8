import { useSignal } from '@preact/signals';

import { Age } from '../part/age.tsx';
import { Back } from '../part/back.tsx';
import type { Column } from '../part/columns.tsx';
import { FormProblem, TextField, readForm } from '../part/field.tsx';
import { PolledColumns } from '../part/list.tsx';
import { formatTime, programName } from '../format.ts';
import { useForm } from '../state/form.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { LoginSessionView, MeView } from '../wire.ts';

const SESSIONS_PERIOD_MS = 15_000;
const PROFILE = ['full_name', 'phone', 'organization'] as const;

/** The own account: who one is, the password, and where one is logged in. */
export function AccountPage() {
	const { me } = useServices();
	const user = me.user.value;
	if (user === null) return <p class="quiet">{t('app.loading')}</p>;
	return (
		<>
			<Back to="settings" />
			<div class="title-row">
				<h1>{t('account.title')}</h1>
				<span class="quiet">
					{user.email} · {t(`role.${user.role}`)}
				</span>
			</div>
			<div class="cards">
				<Profile user={user} />
				<PasswordForm />
			</div>
			<Sessions />
		</>
	);
}

function Profile({ user }: { readonly user: MeView }) {
	const { api, me } = useServices();
	const form = useForm(PROFILE);
	const saved = useSignal(false);
	return (
		<form
			class="card"
			onInput={() => {
				saved.value = false;
			}}
			onSubmit={(event) => {
				event.preventDefault();
				const field = readForm(event.currentTarget);
				void form.send(async () => {
					const body = Object.fromEntries(PROFILE.map((name) => [name, field(name).trim()]));
					me.put(await api.patch<MeView>('/api/v1/users/me', body));
					saved.value = true;
				});
			}}
		>
			<h2>{t('account.profile')}</h2>
			<FormProblem form={form} />
			<TextField form={form} name="full_name" label={t('claim.name')} value={user.full_name} autocomplete="name" />
			<TextField form={form} name="phone" label={t('account.phone')} value={user.phone} autocomplete="tel" />
			<TextField
				form={form}
				name="organization"
				label={t('account.organization')}
				value={user.organization}
				autocomplete="organization"
			/>
			<div class="actions">
				<button class="primary" disabled={form.busy.value}>
					{t('app.save')}
				</button>
				<span role="status" class="quiet">
					{saved.value ? t('app.saved') : ''}
				</span>
			</div>
		</form>
	);
}

/** Changes the own password; every other login of the account ends with it. */
export function PasswordForm() {
	const { api, me } = useServices();
	const form = useForm(['current_password', 'new_password', 'again']);
	const saved = useSignal(false);
	return (
		<form
			class="card"
			onSubmit={(event) => {
				event.preventDefault();
				const target = event.currentTarget;
				const field = readForm(target);
				saved.value = false;
				if (field('new_password') !== field('again')) {
					form.refuse('again', t('claim.mismatch'));
					return;
				}
				void form.send(async () => {
					await api.post('/api/v1/users/me/password', {
						current_password: field('current_password'),
						new_password: field('new_password'),
					});
					target.reset();
					saved.value = true;
					await me.load();
				});
			}}
		>
			<h2>{t('account.password')}</h2>
			<FormProblem form={form} />
			<TextField
				form={form}
				name="current_password"
				type="password"
				label={t('account.currentPassword')}
				autocomplete="current-password"
				required
			/>
			<TextField
				form={form}
				name="new_password"
				type="password"
				label={t('account.newPassword')}
				hint={t('account.passwordHint')}
				autocomplete="new-password"
				required
			/>
			<TextField
				form={form}
				name="again"
				type="password"
				label={t('claim.repeat')}
				autocomplete="new-password"
				required
			/>
			<div class="actions">
				<button class="primary" disabled={form.busy.value}>
					{t('account.changePassword')}
				</button>
				<span role="status" class="quiet">
					{saved.value ? t('account.passwordChanged') : ''}
				</span>
			</div>
		</form>
	);
}

function Sessions() {
	const { api } = useServices();
	const list = usePoll<readonly LoginSessionView[]>('/api/v1/users/me/sessions', SESSIONS_PERIOD_MS);
	const form = useForm([]);

	const end = (path: string) =>
		form.send(async () => {
			await api.remove(path);
			list.reload();
		});

	const columns: readonly Column<LoginSessionView>[] = [
		{
			title: 'account.sessionWhere',
			cell: ({ user_agent, address, current }) => (
				<>
					<strong title={user_agent}>{programName(user_agent) ?? t('account.sessionUnknown')}</strong>
					<small>
						{address} {current ? t('account.sessionCurrent') : ''}
					</small>
				</>
			),
		},
		{
			title: 'account.sessionUsed',
			cell: ({ last_used_at }) => <Age atMs={Date.parse(last_used_at)} />,
		},
		{ title: 'account.sessionExpires', cell: ({ expires_at }) => formatTime(expires_at) },
		{
			title: 'app.actions',
			cell: ({ id, current }) =>
				current ? null : (
					<button type="button" onClick={() => void end(`/api/v1/users/me/sessions/${encodeURIComponent(id)}`)}>
						{t('account.sessionEnd')}
					</button>
				),
		},
	];

	return (
		<section>
			<div class="title-row">
				<h2>{t('account.sessions')}</h2>
				<span class="spring" />
				<button type="button" onClick={() => void end('/api/v1/users/me/sessions')}>
					{t('account.sessionsEndOthers')}
				</button>
			</div>
			<FormProblem form={form} />
			<PolledColumns list={list} columns={columns} rowKey={({ id }) => id} empty={t('account.sessionsNone')} />
		</section>
	);
}
