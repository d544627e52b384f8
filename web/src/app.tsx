import type { ComponentType } from 'preact';

import { AddDevicePage } from './page/add-device.tsx';
import { ClaimPage } from './page/claim.tsx';
import { DevicesPage } from './page/devices.tsx';
import { GatewaysPage } from './page/gateways.tsx';
import { LinesPage } from './page/lines.tsx';
import { LoginPage } from './page/login.tsx';
import { SyncPage } from './page/sync.tsx';
import { lazy } from './part/lazy.tsx';
import { Shell } from './part/shell.tsx';
import { type Hull, useServices } from './state/services.ts';
import { type TextKey, t } from './text.ts';

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
	readonly view: ComponentType;
}

/** Every page. The first is the home page. */
const ROUTES: readonly Route[] = [
	{ page: 'devices', withId: false, hulls: ['gateway', 'hub'], menu: 'nav.devices', view: DevicesPage },
	{ page: 'devices', withId: true, hulls: ['gateway', 'hub'], menu: null, view: DevicePage },
	{ page: 'add-device', withId: false, hulls: ['gateway'], menu: null, view: AddDevicePage },
	{ page: 'lines', withId: false, hulls: ['gateway'], menu: 'nav.lines', view: LinesPage },
	{ page: 'sync', withId: false, hulls: ['gateway'], menu: 'nav.sync', view: SyncPage },
	{ page: 'gateways', withId: false, hulls: ['hub'], menu: 'nav.gateways', view: GatewaysPage },
];

export function App() {
	const { hull, place, session } = useServices();
	const phase = session.phase.value;
	const { page, id } = place.value;
	const routes = ROUTES.filter((route) => route.hulls.includes(hull));
	if (phase === 'starting') return <Shell menu={[]}>{<p class="quiet">{t('app.loading')}</p>}</Shell>;
	if (phase === 'claim') return <Shell menu={[]}>{<ClaimPage />}</Shell>;
	if (phase === 'login') return <Shell menu={[]}>{<LoginPage />}</Shell>;

	const wanted = page === '' ? 'devices' : page;
	const route = routes.find((each) => each.page === wanted && each.withId === (id !== null));
	const menu = routes.flatMap(({ page: name, menu: key }) => (key === null ? [] : [{ page: name, label: t(key) }]));
	return (
		<Shell menu={menu}>
			{route === undefined ? <p class="quiet">{t('app.notFound')}</p> : <route.view key={`${wanted}/${id ?? ''}`} />}
		</Shell>
	);
}
