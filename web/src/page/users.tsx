import { useSignal } from '@preact/signals';

import { Age } from '../part/age.tsx';
import { Approvals } from '../part/approvals.tsx';
import { Back } from '../part/back.tsx';
import { type Column, Columns } from '../part/columns.tsx';
import { FormDialog } from '../part/dialog.tsx';
import { ChoiceField, TextField } from '../part/field.tsx';
import { Icon } from '../part/icon.tsx';
import { Problem } from '../part/list.tsx';
import { Status } from '../part/status.tsx';
import { useForm } from '../state/form.ts';
import { isAtLeast } from '../state/me.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { Role, UserPageView, UserView } from '../wire.ts';

const PERIOD_MS = 15_000;
const ROLES: readonly Role[] = ['superadmin', 'admin', 'manager', 'editor', 'viewer', 'user'];

/** What is being done to whom. */
type Task = { readonly kind: 'create' } | { readonly kind: 'edit' | 'password' | 'delete'; readonly user: UserView };

/** The people who may log in here. */
export function UsersPage() {
	const page = useSignal(1);
	const { me } = useServices();
	const { data, error, reload } = usePoll<UserPageView>(`/api/v1/users?page=${page.value}&size=50`, PERIOD_MS);
	const task = useSignal<Task | null>(null);
	const users = data.value;

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
		{ title: 'users.role', cell: ({ role }) => t(`role.${role}`) },
		{
			title: 'users.state',
			cell: ({ is_active }) => (
				<Status tone={is_active ? 'ok' : 'idle'} icon={is_active ? 'ok' : 'offline'}>
					{t(is_active ? 'users.active' : 'users.inactive')}
				</Status>
			),
		},
		{
			title: 'users.lastLogin',
			cell: ({ last_login }) => (last_login === null ? t('devices.never') : <Age atMs={Date.parse(last_login)} />),
		},
		{ title: 'app.actions', cell: (user) => <UserActions user={user} onPick={(next) => (task.value = next)} /> },
	];

	return (
		<>
			<Back to="settings" />
			<div class="title-row">
				<h1>{t('users.title')}</h1>
				{users !== null && <span class="quiet">{t('users.count', { n: users.total })}</span>}
				<span class="spring" />
				{me.may('users:write') && (
					<button type="button" class="primary" onClick={() => (task.value = { kind: 'create' })}>
						<Icon name="plus" />
						{t('users.add')}
					</button>
				)}
			</div>
			<Approvals onChanged={reload} />
			<Problem>{error.value}</Problem>
			{users === null ? (
				<p class="quiet">{t('app.loading')}</p>
			) : (
				<Columns columns={columns} rows={users.items} rowKey={({ id }) => id} />
			)}
			{users !== null && users.pages > 1 && (
				<nav class="pager" aria-label={t('devices.page', { page: users.page, pages: users.pages })}>
					<button type="button" disabled={page.value <= 1} onClick={() => (page.value -= 1)}>
						{t('devices.previous')}
					</button>
					<span>{t('devices.page', { page: users.page, pages: users.pages })}</span>
					<button type="button" disabled={page.value >= users.pages} onClick={() => (page.value += 1)}>
						{t('devices.next')}
					</button>
				</nav>
			)}
			{task.value !== null && (
				<UserDialog
					task={task.value}
					onClose={() => {
						task.value = null;
						reload();
					}}
				/>
			)}
		</>
	);
}

function UserActions({ user, onPick }: { readonly user: UserView; readonly onPick: (task: Task) => void }) {
	const { me } = useServices();
	const own = me.user.value;
	const isOwn = own?.id === user.id;
	// Nobody changes somebody above.
	if (own === null || !me.may('users:write') || !isAtLeast(own.role, user.role)) return null;
	return (
		<div class="row-actions">
			<button type="button" onClick={() => onPick({ kind: 'edit', user })}>
				{t('app.edit')}
			</button>
			{!isOwn && (
				<>
					<button type="button" onClick={() => onPick({ kind: 'password', user })}>
						{t('users.resetPassword')}
					</button>
					{me.may('users:delete') && (
						<button type="button" onClick={() => onPick({ kind: 'delete', user })}>
							{t('app.delete')}
						</button>
					)}
				</>
			)}
		</div>
	);
}

interface DialogProps<T> {
	readonly task: T;
	readonly onClose: () => void;
}

function UserDialog({ task, onClose }: DialogProps<Task>) {
	if (task.kind === 'create') return <CreateDialog onClose={onClose} />;
	if (task.kind === 'edit') return <EditDialog user={task.user} onClose={onClose} />;
	if (task.kind === 'password') return <ResetDialog user={task.user} onClose={onClose} />;
	return <DeleteDialog user={task.user} onClose={onClose} />;
}

interface OneUserProps {
	readonly user: UserView;
	readonly onClose: () => void;
}

/** Roles up to the own one. */
function useRoleChoices() {
	const own = useServices().me.user.value?.role ?? 'user';
	return ROLES.filter((role) => isAtLeast(own, role)).map((role) => ({ value: role, label: t(`role.${role}`) }));
}

function CreateDialog({ onClose }: { readonly onClose: () => void }) {
	const { api } = useServices();
	const form = useForm(['email', 'full_name', 'role', 'password']);
	const choices = useRoleChoices();
	return (
		<FormDialog
			title={t('users.add')}
			form={form}
			submit={t('users.add')}
			onClose={onClose}
			onSend={async (field) => {
				await api.post('/api/v1/users', {
					email: field('email').trim(),
					full_name: field('full_name').trim(),
					role: field('role'),
					password: field('password'),
					must_change_password: true,
				});
			}}
		>
			<TextField form={form} name="email" type="email" label={t('claim.email')} autocomplete="off" required focus />
			<TextField form={form} name="full_name" label={t('claim.name')} autocomplete="off" />
			<ChoiceField form={form} name="role" label={t('users.role')} choices={choices} value="viewer" />
			<TextField
				form={form}
				name="password"
				type="password"
				label={t('users.firstPassword')}
				hint={`${t('account.passwordHint')} ${t('users.firstPasswordHint')}`}
				autocomplete="new-password"
				required
			/>
		</FormDialog>
	);
}

const ACTIVE = 'active';

function EditDialog({ user, onClose }: OneUserProps) {
	const { api, me } = useServices();
	const form = useForm(['email', 'full_name', 'role', 'is_active']);
	const choices = useRoleChoices();
	const states = [
		{ value: ACTIVE, label: t('users.active') },
		{ value: 'inactive', label: t('users.inactive') },
	];
	return (
		<FormDialog
			title={user.full_name || user.email}
			form={form}
			submit={t('app.save')}
			onClose={onClose}
			onSend={async (field) => {
				await api.patch(`/api/v1/users/${user.id}`, {
					email: field('email').trim(),
					full_name: field('full_name').trim(),
					role: field('role'),
					is_active: field('is_active') === ACTIVE,
				});
				if (me.user.value?.id === user.id) await me.load();
			}}
		>
			<TextField form={form} name="email" type="email" label={t('claim.email')} value={user.email} required />
			<TextField form={form} name="full_name" label={t('claim.name')} value={user.full_name} />
			<ChoiceField form={form} name="role" label={t('users.role')} choices={choices} value={user.role} />
			<ChoiceField
				form={form}
				name="is_active"
				label={t('users.state')}
				choices={states}
				value={user.is_active ? ACTIVE : 'inactive'}
			/>
		</FormDialog>
	);
}

function ResetDialog({ user, onClose }: OneUserProps) {
	const { api } = useServices();
	const form = useForm(['new_password']);
	return (
		<FormDialog
			title={t('users.resetFor', { name: user.full_name || user.email })}
			form={form}
			submit={t('users.resetPassword')}
			onClose={onClose}
			onSend={async (field) => {
				await api.post(`/api/v1/users/${user.id}/password`, { new_password: field('new_password') });
			}}
		>
			<p>{t('users.resetLead')}</p>
			<TextField
				form={form}
				name="new_password"
				type="password"
				label={t('account.newPassword')}
				hint={t('account.passwordHint')}
				autocomplete="new-password"
				required
				focus
			/>
		</FormDialog>
	);
}

function DeleteDialog({ user, onClose }: OneUserProps) {
	const { api } = useServices();
	const form = useForm([]);
	return (
		<FormDialog
			title={t('users.deleteWho', { name: user.full_name || user.email })}
			form={form}
			submit={t('app.delete')}
			danger
			onClose={onClose}
			onSend={() => api.remove(`/api/v1/users/${user.id}`)}
		>
			<p>{t('users.deleteLead')}</p>
		</FormDialog>
	);
}
