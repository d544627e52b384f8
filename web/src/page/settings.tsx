import { link } from '../router.ts';
import { useServices } from '../state/services.ts';
import { type TextKey, t } from '../text.ts';
import type { Role } from '../wire.ts';

interface Entry {
	readonly page: string;
	readonly title: TextKey;
	readonly lead: TextKey;
	readonly least: Role;
}

const ENTRIES: readonly Entry[] = [
	{ page: 'account', title: 'account.title', lead: 'settings.account', least: 'user' },
	{ page: 'users', title: 'users.title', lead: 'settings.users', least: 'admin' },
	{ page: 'audit', title: 'audit.title', lead: 'settings.audit', least: 'admin' },
	{ page: 'certificate', title: 'certificate.title', lead: 'settings.certificate', least: 'user' },
	{ page: 'api', title: 'api.title', lead: 'settings.api', least: 'user' },
];

/** What is not looked at every day. */
export function SettingsPage() {
	const { me } = useServices();
	return (
		<>
			<h1>{t('settings.title')}</h1>
			<nav class="tiles" aria-label={t('settings.title')}>
				{ENTRIES.filter(({ least }) => me.may(least)).map(({ page, title, lead }) => (
					<a key={page} class="card" href={link(page)}>
						<strong>{t(title)}</strong>
						<small>{t(lead)}</small>
					</a>
				))}
			</nav>
		</>
	);
}
