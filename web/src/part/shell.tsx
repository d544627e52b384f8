import type { ComponentChildren } from 'preact';

import { go, link } from '../router.ts';
import type { ConnectionState } from '../state/connection.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import { Icon, type IconName } from './icon.tsx';
import { AlertCount } from './alert-count.tsx';
import { Problems } from './problems.tsx';
import { Status, type Tone } from './status.tsx';
import { Toasts } from './toasts.tsx';

export interface MenuEntry {
	readonly page: string;
	readonly label: string;
	/** Shows how many alerts wait. */
	readonly counted: boolean;
}

const CONNECTION_LOOK: Readonly<Record<ConnectionState, { readonly tone: Tone; readonly icon: IconName }>> = {
	connecting: { tone: 'idle', icon: 'wait' },
	connected: { tone: 'ok', icon: 'ok' },
	reconnecting: { tone: 'warn', icon: 'wait' },
	restarting: { tone: 'warn', icon: 'degraded' },
	'logged-out': { tone: 'idle', icon: 'unknown' },
};

function ConnectionBadge() {
	const { connection, me } = useServices();
	const state = connection.state.value;
	// Nothing is live before the password is the person's own.
	if (me.user.value?.must_change_password === true) return null;
	const { tone, icon } = CONNECTION_LOOK[state];
	return (
		<div class="connection" role="status" data-state={state}>
			<Status tone={tone} icon={icon}>
				{t(`connection.${state}`)}
			</Status>
		</div>
	);
}

function ReloadHint() {
	const { connection } = useServices();
	if (!connection.outdated.value) return null;
	return (
		<p class="notice" role="status">
			{t('app.reload')}{' '}
			<button type="button" onClick={() => location.reload()}>
				{t('app.reloadNow')}
			</button>
		</p>
	);
}

function CrowdedHint() {
	const { connection } = useServices();
	return connection.crowded.value ? (
		<p class="notice" role="status">
			{t('app.crowded')}
		</p>
	) : null;
}

/** What surrounds every page: name, menu, connection, problems. */
export function Shell({
	menu,
	here = '',
	children,
}: {
	readonly menu: readonly MenuEntry[];
	/** Entry of the menu under which the page stands. */
	readonly here?: string;
	readonly children: ComponentChildren;
}) {
	const { hull, session, me } = useServices();
	const inside = session.phase.value === 'in';

	function leave(): void {
		// Whoever logs in next begins at the beginning.
		go('');
		void session.logout();
	}

	return (
		<>
			<a
				class="skip"
				href="#main"
				onClick={(event) => {
					event.preventDefault();
					document.querySelector<HTMLElement>('#main')?.focus();
				}}
			>
				{t('app.skip')}
			</a>
			<header class="bar">
				<span class="brand">
					<img src="/icon.svg" alt="" width="24" height="24" />
					<span>
						<span class="wide">{t('app.name')} </span>
						{t(`app.${hull}`)}
					</span>
				</span>
				{menu.length > 0 && (
					<nav aria-label={t('app.menu')}>
						{menu.map(({ page, label, counted }) => (
							<a key={page} href={link(page)} {...(page === here ? { 'aria-current': 'page' as const } : {})}>
								{label}
								{counted && <AlertCount />}
							</a>
						))}
					</nav>
				)}
				<ConnectionBadge />
				{inside && (
					<button type="button" class="plain" aria-label={t('app.logout')} onClick={leave}>
						<Icon name="exit" />
						<span class="wide">{t('app.logout')}</span>
					</button>
				)}
			</header>
			<main id="main" tabIndex={-1}>
				<ReloadHint />
				<CrowdedHint />
				{inside && <Problems />}
				{children}
			</main>
			{inside && me.user.value !== null && <Toasts />}
		</>
	);
}
