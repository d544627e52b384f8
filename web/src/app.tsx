import type { ComponentType } from 'preact';

import { AccountPage } from './page/account.tsx';
import { AddDevicePage } from './page/add-device.tsx';
import { AlertsPage } from './page/alerts.tsx';
import { AuditPage } from './page/audit.tsx';
import { CertificatePage } from './page/certificate.tsx';
import { ClaimPage } from './page/claim.tsx';
import { DevicesPage } from './page/devices.tsx';
import { GatewaysPage } from './page/gateways.tsx';
import { LinesPage } from './page/lines.tsx';
import { LoginPage } from './page/login.tsx';
import { NewPasswordPage } from './page/new-password.tsx';
import { SettingsPage } from './page/settings.tsx';
import { SyncPage } from './page/sync.tsx';
import { UsersPage } from './page/users.tsx';
import { lazy } from './part/lazy.tsx';
import { Shell } from './part/shell.tsx';
import { type Hull, useServices } from './state/services.ts';
import { type TextKey, t } from './text.ts';
import type { Role } from './wire.ts';

/** Looked at by few. */
const ApiPage = lazy(async () => (await import('./page/api.tsx')).ApiPage);
/** Holds the chart library, so it is fetched when the first device is opened. */
const DevicePage = lazy(async () => (await import('./page/device.tsx')).DevicePage);

export interface Route {
	/** First segment of the address. */
	readonly page: string;
	/** Only with, or only without an id behind it. */
	readonly withId: boolean;
	readonly hulls: readonly Hull[];
	/** Name in the menu; `null`: reached from another page. */
	readonly menu: TextKey | null;
	/** Entry of the menu it stands under; absent: its own. */
	readonly under?: string;
	/** The lowest level that has use of it; the server decides what it may do. Absent: everybody. */
	readonly least?: Role;
	readonly view: ComponentType;
}

/** Every page. The first is the home page. */
const ROUTES: readonly Route[] = [
	{ page: 'devices', withId: false, hulls: ['gateway', 'hub'], menu: 'nav.devices', view: DevicesPage },
	{ page: 'devices', withId: true, hulls: ['gateway', 'hub'], menu: null, view: DevicePage },
	{ page: 'add-device', withId: false, hulls: ['gateway'], menu: null, under: 'devices', view: AddDevicePage },
	{ page: 'alerts', withId: false, hulls: ['gateway', 'hub'], menu: 'nav.alerts', least: 'manager', view: AlertsPage },
	{ page: 'lines', withId: false, hulls: ['gateway'], menu: 'nav.lines', view: LinesPage },
	{ page: 'sync', withId: false, hulls: ['gateway'], menu: 'nav.sync', view: SyncPage },
	{ page: 'gateways', withId: false, hulls: ['hub'], menu: 'nav.gateways', view: GatewaysPage },
	{ page: 'settings', withId: false, hulls: ['gateway', 'hub'], menu: 'nav.settings', view: SettingsPage },
	{ page: 'account', withId: false, hulls: ['gateway', 'hub'], menu: null, under: 'settings', view: AccountPage },
	{
		page: 'users',
		withId: false,
		hulls: ['gateway', 'hub'],
		menu: null,
		under: 'settings',
		least: 'admin',
		view: UsersPage,
	},
	{
		page: 'audit',
		withId: false,
		hulls: ['gateway', 'hub'],
		menu: null,
		under: 'settings',
		least: 'admin',
		view: AuditPage,
	},
	{
		page: 'certificate',
		withId: false,
		hulls: ['gateway', 'hub'],
		menu: null,
		under: 'settings',
		view: CertificatePage,
	},
	{ page: 'api', withId: false, hulls: ['gateway', 'hub'], menu: null, under: 'settings', view: ApiPage },
];

export function App() {
	const { hull, place, session, me } = useServices();
	const phase = session.phase.value;
	const { page, id } = place.value;
	const user = me.user.value;
	const routes = ROUTES.filter(({ hulls, least }) => hulls.includes(hull) && (least === undefined || me.may(least)));
	if (phase === 'starting') return <Shell menu={[]}>{<p class="quiet">{t('app.loading')}</p>}</Shell>;
	if (phase === 'claim') return <Shell menu={[]}>{<ClaimPage />}</Shell>;
	if (phase === 'login') return <Shell menu={[]}>{<LoginPage />}</Shell>;

	if (user?.must_change_password === true) return <Shell menu={[]}>{<NewPasswordPage />}</Shell>;

	const wanted = page === '' ? 'devices' : page;
	const route = routes.find((each) => each.page === wanted && each.withId === (id !== null));
	const menu = routes.flatMap(({ page: name, menu: key }) => (key === null ? [] : [{ page: name, label: t(key) }]));
	return (
		<Shell menu={menu} here={route?.under ?? wanted}>
			{route === undefined ? (
				<p class="quiet">{t(user === null ? 'app.loading' : 'app.notFound')}</p>
			) : (
				<route.view key={`${wanted}/${id ?? ''}`} />
			)}
		</Shell>
	);
}
