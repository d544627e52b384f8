import type { ComponentType } from 'preact';

import { CertificatePage } from './page/certificate.tsx';
import { ClaimPage } from './page/claim.tsx';
import { DevicesPage } from './page/devices.tsx';
import { LoginPage } from './page/login.tsx';
import { SettingsPage } from './page/settings.tsx';
import { lazy } from './part/lazy.tsx';
import { Shell } from './part/shell.tsx';
import { type Hull, useServices } from './state/services.ts';
import { type TextKey, t } from './text.ts';
import type { Permission } from './wire.ts';

/** Not looked at every day, so the code of each is fetched when it is first opened. */
const AccountPage = lazy(async () => (await import('./page/account.tsx')).AccountPage);
const AddDevicePage = lazy(async () => (await import('./page/add-device.tsx')).AddDevicePage);
const AlertsPage = lazy(async () => (await import('./page/alerts.tsx')).AlertsPage);
const ApiPage = lazy(async () => (await import('./page/api.tsx')).ApiPage);
const AuditPage = lazy(async () => (await import('./page/audit.tsx')).AuditPage);
const EditDevicePage = lazy(async () => (await import('./page/edit-device.tsx')).EditDevicePage);
const GatewayPage = lazy(async () => (await import('./page/gateway.tsx')).GatewayPage);
const GatewaysPage = lazy(async () => (await import('./page/gateways.tsx')).GatewaysPage);
const CommissioningPage = lazy(async () => (await import('./page/commissioning.tsx')).CommissioningPage);
const ImportTemplatePage = lazy(async () => (await import('./page/import-template.tsx')).ImportTemplatePage);
const LinePage = lazy(async () => (await import('./page/line.tsx')).LinePage);
const LinesPage = lazy(async () => (await import('./page/lines.tsx')).LinesPage);
const NewPasswordPage = lazy(async () => (await import('./page/new-password.tsx')).NewPasswordPage);
const RegisterPage = lazy(async () => (await import('./page/register.tsx')).RegisterPage);
const RegistersPage = lazy(async () => (await import('./page/registers.tsx')).RegistersPage);
const ScanPage = lazy(async () => (await import('./page/scan.tsx')).ScanPage);
const StoragePage = lazy(async () => (await import('./page/storage.tsx')).StoragePage);
const SyncPage = lazy(async () => (await import('./page/sync.tsx')).SyncPage);
const TemplatesPage = lazy(async () => (await import('./page/templates.tsx')).TemplatesPage);
const TryPage = lazy(async () => (await import('./page/try.tsx')).TryPage);
const UsersPage = lazy(async () => (await import('./page/users.tsx')).UsersPage);
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
	/** Who may not has no use of it; the server decides. Absent: everybody. */
	readonly needs?: Permission | undefined;
	readonly view: ComponentType;
}

/** A page of the installer, which may be told what it is about: a scan, a unit that was found, a line. */
const field = (page: string, view: ComponentType, needs?: Permission, under = 'lines'): readonly Route[] =>
	[false, true].map((withId) => ({ page, withId, hulls: ['gateway'], menu: null, under, needs, view }));

/** Every page. The first is the home page. */
const ROUTES: readonly Route[] = [
	{ page: 'devices', withId: false, hulls: ['gateway', 'hub'], menu: 'nav.devices', view: DevicesPage },
	{ page: 'devices', withId: true, hulls: ['gateway', 'hub'], menu: null, view: DevicePage },
	...field('add-device', AddDevicePage, 'devices:write', 'devices'),
	...field('edit-device', EditDevicePage, 'devices:write', 'devices'),
	{
		page: 'alerts',
		withId: false,
		hulls: ['gateway', 'hub'],
		menu: 'nav.alerts',
		needs: 'alarms:write',
		view: AlertsPage,
	},
	{ page: 'lines', withId: false, hulls: ['gateway'], menu: 'nav.lines', view: LinesPage },
	{ page: 'lines', withId: true, hulls: ['gateway'], menu: null, view: LinePage },
	...field('scan', ScanPage, 'devices:write'),
	...field('try', TryPage, 'devices:write'),
	...field('registers', RegistersPage, 'devices:write'),
	...field('commissioning', CommissioningPage, 'gateways:configure'),
	...field('templates', TemplatesPage),
	...field('import-template', ImportTemplatePage, 'templates:write'),
	{ page: 'sync', withId: false, hulls: ['gateway'], menu: 'nav.sync', view: SyncPage },
	{ page: 'gateways', withId: false, hulls: ['hub'], menu: 'nav.gateways', view: GatewaysPage },
	{ page: 'gateways', withId: true, hulls: ['hub'], menu: null, view: GatewayPage },
	{ page: 'settings', withId: false, hulls: ['gateway', 'hub'], menu: 'nav.settings', view: SettingsPage },
	{ page: 'account', withId: false, hulls: ['gateway', 'hub'], menu: null, under: 'settings', view: AccountPage },
	{
		page: 'users',
		withId: false,
		hulls: ['gateway', 'hub'],
		menu: null,
		under: 'settings',
		needs: 'users:read',
		view: UsersPage,
	},
	{
		page: 'audit',
		withId: false,
		hulls: ['gateway', 'hub'],
		menu: null,
		under: 'settings',
		needs: 'audit:read',
		view: AuditPage,
	},
	{
		page: 'storage',
		withId: false,
		hulls: ['gateway', 'hub'],
		menu: null,
		under: 'settings',
		needs: 'system:read',
		view: StoragePage,
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

/** What somebody sees who is not logged in. */
function Outside() {
	const { place, session } = useServices();
	const phase = session.phase.value;
	if (phase === 'claim') return <ClaimPage />;
	if (phase !== 'login') return <p class="quiet">{t('app.loading')}</p>;
	const isRegistering = place.value.page === 'register' && session.registration.value !== 'closed';
	return isRegistering ? <RegisterPage /> : <LoginPage />;
}

export function App() {
	const { hull, place, session, me } = useServices();
	const { page, id } = place.value;
	const user = me.user.value;
	const isInside = session.phase.value === 'in';
	if (!isInside || user === null)
		return <Shell menu={[]}>{isInside ? <p class="quiet">{t('app.loading')}</p> : <Outside />}</Shell>;
	if (user.must_change_password) return <Shell menu={[]}>{<NewPasswordPage />}</Shell>;

	const routes = ROUTES.filter(({ hulls, needs }) => hulls.includes(hull) && (needs === undefined || me.may(needs)));
	const wanted = page === '' ? 'devices' : page;
	const route = routes.find((each) => each.page === wanted && each.withId === (id !== null));
	const menu = routes.flatMap(({ page: name, menu: key }) =>
		key === null ? [] : [{ page: name, label: t(key), counted: name === 'alerts' }],
	);
	return (
		<Shell menu={menu} here={route?.under ?? wanted}>
			{route === undefined ? <p class="quiet">{t('app.notFound')}</p> : <route.view key={`${wanted}/${id ?? ''}`} />}
		</Shell>
	);
}
