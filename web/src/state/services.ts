import type { ReadonlySignal } from '@preact/signals';
import { effect } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

import { type Api, createApi } from '../api.ts';
import { type Place, createRouter } from '../router.ts';
import { type Connection, createConnection } from './connection.ts';
import { type Devices, createDevices } from './devices.ts';
import { type Live, createLive } from './live.ts';
import { type Me, createMe } from './me.ts';
import { type ServerClock, createServerClock } from './server-clock.ts';
import { type Session, createSession } from './session.ts';

/** Who serves this page. */
export type Hull = 'gateway' | 'hub';

/** Everything a page may need. */
export interface Services {
	readonly hull: Hull;
	readonly place: ReadonlySignal<Place>;
	readonly api: Api;
	readonly session: Session;
	readonly connection: Connection;
	readonly clock: ServerClock;
	readonly devices: Devices;
	readonly live: Live;
	readonly me: Me;
}

/** Puts the parts together. They live as long as the page. */
export function createServices(hull: Hull): Services {
	const connection = createConnection();
	const session = createSession({ unreachable: connection.down });
	const clock = createServerClock();
	const api = createApi({ token: session.token, renew: session.renew });
	const devices = createDevices({ api, clock });
	const me = createMe(api);

	const live = createLive({
		session,
		connection,
		listeners: {
			telemetry: devices.hearTelemetry,
			deviceHealth: devices.hearHealth,
			deviceStatus: devices.hearStatus,
			// A failure here ends in the next reconnection, which asks again.
			reconnected: () => {
				void devices.refresh().catch(() => undefined);
				void me.load().catch(() => undefined);
			},
		},
	});

	effect(() => {
		const phase = session.phase.value;
		if (phase === 'in') {
			void live.open();
			// Asked again with the next connection.
			void me.load().catch(() => undefined);
		}
		if (phase === 'login' || phase === 'claim') {
			live.close();
			devices.clear();
			me.clear();
		}
	});

	return { hull, place: createRouter(), api, session, connection, clock, devices, live, me };
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
	const services = useContext(ServicesContext);
	if (services === null) throw new TypeError('rendered outside of ServicesContext');
	return services;
}
