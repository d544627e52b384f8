import Joi from 'joi';

import { connectionSchema } from './connection/connection-schema.ts';
import type { Connection } from './connection/connection.ts';
import { cardSection, type CardSettings } from './card-settings.ts';
import {
	GIB,
	historySection,
	type HistorySettings,
	hostName,
	httpSection,
	type HttpSettings,
	identitySection,
	type IdentitySettings,
	journalSection,
	type JournalSettings,
	listenHost,
	listenPort,
	type ListenSettings,
	logSection,
	type LogSettings,
	remotePort,
	secret,
	section,
	tlsListenSection,
	type TlsListenSettings,
} from './settings-schema.ts';

/** A device that the file declares; created at start when its uid is not known yet, and never changed by the file afterwards. */
export interface DeviceSettings {
	/** Unique in the file; one level of an MQTT topic. */
	readonly uid: string;
	readonly name: string;
	readonly deviceType: string;
	readonly connection: Connection;
}

export interface UplinkSettings {
	/** Base address of the hub's REST API; empty: this gateway has no hub. */
	readonly hubUrl: string;
	/** One-time code of the hub; a secret. Empty: already enrolled, or entered in the UI. */
	readonly enrolmentCode: string;
	/** Host of the hub's link broker instead of the one the hub names; empty: as the hub says. */
	readonly linkHost: string;
	/** Port of the hub's link broker instead of the one the hub names; 0: as the hub says. */
	readonly linkPort: number;
	/** Most bytes of history sent per second; live values do not count. */
	readonly backfillBytesPerSecond: number;
	/** Whether people at the hub may call this gateway's REST through the link, with their permissions. */
	readonly remoteCalls: boolean;
}

/** Everything an appliance can be told by file or environment. Deeply frozen. */
export interface GatewaySettings {
	readonly http: HttpSettings;
	readonly https: TlsListenSettings;
	readonly mqtt: ListenSettings;
	readonly mqttTls: TlsListenSettings;
	readonly journal: JournalSettings;
	readonly history: HistorySettings;
	readonly uplink: UplinkSettings;
	readonly identity: IdentitySettings;
	readonly log: LogSettings;
	readonly card: CardSettings;
	readonly site: { readonly name: string };
	/** Folder with device templates of this site, beside those of the product; empty: none. */
	readonly templates: { readonly folder: string };
	readonly devices: readonly DeviceSettings[];
}

/** Most devices one file may declare. */
const MAX_DEVICES = 1_000;

const device = Joi.object({
	uid: Joi.string()
		.pattern(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/)
		.required(),
	name: Joi.string().min(1).max(255).required(),
	device_type: Joi.string().min(1).max(100).required(),
	connection: connectionSchema.required(),
});

/** Keys, ranges and defaults of the gateway's file, in the words of the file. */
export const gatewaySchema = section({
	http: httpSection(8000),
	https: tlsListenSection(8443),
	mqtt: section({ host: listenHost(), port: listenPort(1883) }),
	mqtt_tls: tlsListenSection(8883),
	journal: journalSection(),
	history: historySection(2 * GIB),
	uplink: section({
		hub_url: Joi.string()
			.uri({ scheme: ['http', 'https'] })
			.allow('')
			.default(''),
		enrolment_code: secret(),
		link_host: hostName().allow('').default(''),
		link_port: remotePort(),
		backfill_bytes_per_second: Joi.number().integer().min(1_024).max(1_000_000_000).default(1_048_576),
		remote_calls: Joi.boolean().default(true),
	}),
	identity: identitySection(),
	log: logSection(),
	card: cardSection(),
	site: section({ name: Joi.string().allow('').max(255).default('') }),
	templates: section({ folder: Joi.string().allow('').max(4_096).default('') }),
	devices: Joi.array().items(device).unique('uid').max(MAX_DEVICES).empty(null).default([]),
});
