import { link } from '../router.ts';
import { useServices } from '../state/services.ts';
import { type TextKey, t } from '../text.ts';
import type { Permission } from '../wire.ts';

interface Entry {
	readonly page: string;
	readonly title: TextKey;
	readonly lead: TextKey;
	/** Absent: for everybody. */
	readonly needs?: Permission;
}

const ENTRIES: readonly Entry[] = [
	{ page: 'account', title: 'account.title', lead: 'settings.account' },
	{ page: 'users', title: 'users.title', lead: 'settings.users', needs: 'users:read' },
	{ page: 'audit', title: 'audit.title', lead: 'settings.audit', needs: 'audit:read' },
	{ page: 'storage', title: 'storage.title', lead: 'settings.storage', needs: 'system:read' },
	{ page: 'certificate', title: 'certificate.title', lead: 'settings.certificate' },
	{ page: 'api', title: 'api.title', lead: 'settings.api' },
];

/** What is not looked at every day. */
export function SettingsPage() {
	const { me } = useServices();
	return (
		<>
			<h1>{t('settings.title')}</h1>
			<nav class="tiles" aria-label={t('settings.title')}>
				{ENTRIES.filter(({ needs }) => needs === undefined || me.may(needs)).map(({ page, title, lead }) => (
					<a key={page} class="card" href={link(page)}>
						<strong>{t(title)}</strong>
						<small>{t(lead)}</small>
					</a>
				))}
			</nav>
		</>
	);
}
