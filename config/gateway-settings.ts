import Joi from 'joi';

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
	inCase,
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

/** The line a Modbus device hangs on. */
export type LineSettings =
	| { readonly transport: 'tcp'; readonly host: string; readonly port: number }
	| {
			readonly transport: 'rtu';
			/** Path of the port, best a stable one below /dev/serial/by-id. */
			readonly path: string;
			readonly baudRate: number;
			readonly parity: 'none' | 'even' | 'odd';
			readonly dataBits: 7 | 8;
			readonly stopBits: 1 | 2;
	  };

export type ConnectionSettings =
	| {
			readonly driver: 'modbus';
			readonly line: LineSettings;
			/** 0 to 255; 1 to 247 on a serial line. */
			readonly unitId: number;
			/** Key of a device template. */
			readonly template: string;
			readonly periodMs: number;
			readonly timeoutMs: number;
	  }
	| { readonly driver: 'mqtt' };

/** A device that the file declares; created at start when its uid is not known yet, and never changed by the file afterwards. */
export interface DeviceSettings {
	/** Unique in the file; one level of an MQTT topic. */
	readonly uid: string;
	readonly name: string;
	readonly deviceType: string;
	readonly connection: ConnectionSettings;
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

const tcpLine = Joi.object({
	transport: Joi.valid('tcp').required(),
	host: hostName().required(),
	port: Joi.number().integer().min(1).max(65_535).default(502),
});

/** The specification names 19200 8E1 as the default of a serial line; 9600 8N1 is what meters are shipped with. */
const rtuLine = Joi.object({
	transport: Joi.valid('rtu').required(),
	path: Joi.string().min(1).max(255).required(),
	baud_rate: Joi.number().integer().min(300).max(1_000_000).default(9_600),
	parity: Joi.valid('none', 'even', 'odd').default('none'),
	data_bits: Joi.valid(7, 8).default(8),
	stop_bits: Joi.valid(1, 2).default(1),
});

const line = Joi.alternatives().conditional('.transport', {
	switch: [inCase('tcp', tcpLine), inCase('rtu', rtuLine)],
	otherwise: Joi.object({ transport: Joi.valid('tcp', 'rtu').required() }).unknown(),
});

const modbusConnection = Joi.object({
	driver: Joi.valid('modbus').required(),
	line: line.required(),
	unit_id: Joi.number()
		.integer()
		.required()
		.when('line.transport', {
			switch: [inCase('rtu', Joi.number().min(1).max(247))],
			otherwise: Joi.number().min(0).max(255),
		}),
	template: Joi.string()
		.pattern(/^[a-z0-9][a-z0-9-]{0,63}$/)
		.required(),
	period_ms: Joi.number().integer().min(50).max(86_400_000).default(1_000),
	timeout_ms: Joi.number().integer().min(20).max(60_000).default(1_000),
});

const connection = Joi.alternatives().conditional('.driver', {
	switch: [inCase('modbus', modbusConnection), inCase('mqtt', Joi.object({ driver: Joi.valid('mqtt').required() }))],
	otherwise: Joi.object({ driver: Joi.valid('modbus', 'mqtt').required() }).unknown(),
});

const device = Joi.object({
	uid: Joi.string()
		.pattern(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/)
		.required(),
	name: Joi.string().min(1).max(255).required(),
	device_type: Joi.string().min(1).max(100).required(),
	connection: connection.required(),
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
