import { type ReadonlySignal, effect, untracked } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

import { type Api, createApi } from '../api.ts';
import { type Place, createRouter } from '../router.ts';
import { type Connection, createConnection } from './connection.ts';
import { type Devices, createDevices } from './devices.ts';
import { later } from './later.ts';
import { type Live, createLive } from './live.ts';
import { type Me, createMe } from './me.ts';
import { type Notices, createNotices } from './notices.ts';
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
	readonly notices: Notices;
}

const RETRY_MS = 2_000;

/** Puts the parts together. They live as long as the page. */
export function createServices(hull: Hull): Services {
	const connection = createConnection();
	const session = createSession({ unreachable: connection.down });
	const clock = createServerClock();
	const api = createApi({ token: session.token, renew: session.renew, left: session.left, pause: connection.pause });
	const devices = createDevices({ api, clock });
	const me = createMe(api);
	const notices = createNotices();

	const live = createLive({
		session,
		connection,
		listeners: {
			telemetry: devices.hearTelemetry,
			deviceHealth: devices.hearHealth,
			deviceStatus: devices.hearStatus,
			notification: notices.hear,
			// A failure here ends in the next reconnection, which asks again.
			reconnected: () => {
				void devices.refresh().catch(() => undefined);
				void me.load().catch(() => undefined);
			},
		},
	});

	/** Asks who is logged in until it is known. */
	async function meet(): Promise<void> {
		while (session.phase.peek() === 'in' && me.user.peek() === null) {
			try {
				await me.load();
			} catch {
				await later(RETRY_MS);
			}
		}
	}

	effect(() => {
		const phase = session.phase.value;
		if (phase === 'in') void meet();
		if (phase === 'login' || phase === 'claim')
			untracked(() => {
				live.close();
				devices.clear();
				me.clear();
				notices.clear();
			});
	});

	effect(() => {
		const user = me.user.value;
		// Until the password is changed nothing else is allowed.
		if (user !== null && !user.must_change_password) untracked(() => void live.open(user.id));
	});

	return { hull, place: createRouter(), api, session, connection, clock, devices, live, me, notices };
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
	const services = useContext(ServicesContext);
	if (services === null) throw new TypeError('rendered outside of ServicesContext');
	return services;
}
