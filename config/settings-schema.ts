import Joi, { type ObjectSchema, type SchemaMap } from 'joi';

/** A section of the file. All of its keys commented out leaves `null` in YAML, which means "the defaults". */
export const section = (keys: SchemaMap): ObjectSchema => Joi.object(keys).empty(null).default();

/** A text that is never repeated in a message. */
export const secret = () => Joi.string().allow('').max(1024).default('').meta({ secret: true });

const port = () => Joi.number().integer().min(0).max(65_535);

/** A TCP port to listen on; 0 lets the system choose one. */
export const listenPort = (standard: number) => port().default(standard);

/** An IP address or a host name. */
export const hostName = () =>
	Joi.alternatives(Joi.string().ip({ cidr: 'forbidden' }), Joi.string().hostname()).messages({
		'alternatives.match': 'must be an IP address or a host name',
	});

/** An address to listen on. */
export const listenHost = () => hostName().default('0.0.0.0');

/** A listener with the box's own certificate. */
export const tlsListenSection = (standard: number) =>
	section({ enabled: Joi.boolean().default(true), host: listenHost(), port: listenPort(standard) });

/** A port to connect to; 0 means "none named". */
export const remotePort = () => port().default(0);

/** An origin exactly as browsers send it: no path, no `*`. */
const origin = () =>
	Joi.string()
		.max(260)
		.custom((value: string, helpers) =>
			/^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value
				? value
				: helpers.message({ custom: 'must be an origin such as https://panel.example.com, without a path' }),
		);

const MAX_ORIGINS = 50;

/** The REST API and the pages. */
export const httpSection = (standardPort: number) =>
	section({
		host: listenHost(),
		port: listenPort(standardPort),
		requests_per_second: Joi.number().integer().min(1).max(100_000).default(30),
		cors_origins: Joi.array().items(origin()).unique().max(MAX_ORIGINS).empty(null).default([]),
	});

const KIB = 1024;
const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;

/** Longest time data may be configured to live: ten years. */
const MAX_RETENTION_DAYS = 3_650;

export const journalSection = () =>
	section({
		flush_interval_ms: Joi.number().integer().min(10).max(60_000).default(1_000),
		flush_bytes: Joi.number()
			.integer()
			.min(4 * KIB)
			.max(16 * MIB)
			.default(64 * KIB),
		min_flush_gap_ms: Joi.number().integer().min(0).max(10_000).default(20),
		segment_bytes: Joi.number()
			.integer()
			.min(256 * KIB)
			.max(256 * MIB)
			.default(4 * MIB),
		max_bytes: Joi.number()
			.integer()
			.min(MIB)
			.max(1024 * GIB)
			.greater(Joi.ref('segment_bytes'))
			.default(2 * GIB),
		min_free_bytes: Joi.number()
			.integer()
			.min(0)
			.max(1024 * GIB)
			.default(64 * MIB),
	});

/** @param maxBytes default quota of the history */
export const historySection = (maxBytes: number) =>
	section({
		retention_days: Joi.number().integer().min(1).max(MAX_RETENTION_DAYS).default(365),
		rollup_days: Joi.number().integer().min(1).max(MAX_RETENTION_DAYS).default(3_650),
		max_bytes: Joi.number()
			.integer()
			.min(MIB)
			.max(1024 * 1024 * GIB)
			.default(maxBytes),
	});

export const identitySection = () =>
	section({
		access_token_minutes: Joi.number().integer().min(1).max(1_440).default(30),
		refresh_token_days: Joi.number().integer().min(1).max(365).default(30),
		registration: Joi.valid('open', 'approval', 'closed').default('closed'),
	});

export const logSection = () => section({ level: Joi.valid('debug', 'info', 'warn', 'error').default('info') });

/** The common sections, as the product sees them. */
export interface ListenSettings {
	/** IP address or host name. */
	readonly host: string;
	/** 0 to 65535; 0: a free port of the system's choice. */
	readonly port: number;
}

export interface TlsListenSettings extends ListenSettings {
	readonly enabled: boolean;
}

export interface HttpSettings extends ListenSettings {
	/** API requests per second of each address and of each account in the long run; twice as many at once. */
	readonly requestsPerSecond: number;
	/** Origins of other hosts' pages that may use the API and Socket.IO. */
	readonly corsOrigins: readonly string[];
}

export interface JournalSettings {
	/** Longest time an accepted value waits for the disk while nobody waits for it, ms. */
	readonly flushIntervalMs: number;
	/** Buffered bytes that cause a flush at once. */
	readonly flushBytes: number;
	/** Shortest time between two flushes, ms: protects flash cards. */
	readonly minFlushGapMs: number;
	readonly segmentBytes: number;
	/** Quota of all segments together. */
	readonly maxBytes: number;
	/** Free space of the file system below which the journal stops growing. */
	readonly minFreeBytes: number;
}

export interface HistorySettings {
	/** Days that ended longer ago are dropped. */
	readonly retentionDays: number;
	/** Sums over hours, days and months that ended longer ago are dropped. */
	readonly rollupDays: number;
	/** Quota of the history's files together; the oldest day goes first. */
	readonly maxBytes: number;
}

export interface IdentitySettings {
	readonly accessTokenMinutes: number;
	readonly refreshTokenDays: number;
	/** Who may make an account for itself: anybody, anybody whom an administrator then activates, or nobody. */
	readonly registration: 'open' | 'approval' | 'closed';
}

export interface LogSettings {
	readonly level: 'debug' | 'info' | 'warn' | 'error';
}
