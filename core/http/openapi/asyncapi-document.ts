type Tree = Readonly<Record<string, unknown>>;

/** A Socket.IO event, seen from the server. */
interface EventEntry {
	/** `receive`: a client sends it and is acknowledged. */
	readonly action: 'receive' | 'send';
	readonly summary: string;
	readonly payload: Tree;
}

/** An MQTT topic of the local broker, seen from the server. */
interface TopicEntry extends EventEntry {
	readonly description: string;
}

const schema = (name: string): Tree => ({ $ref: `#/components/schemas/${name}` });
const fields = (properties: Tree, optional: Tree = {}): Tree => ({
	type: 'object',
	required: Object.keys(properties),
	properties: { ...properties, ...optional },
});

const TEXT = { type: 'string' };
const UUID = { type: 'string', format: 'uuid' };
const COUNT = { type: 'integer', minimum: 0 };
const INSTANT = { type: 'string', format: 'date-time' };
const DEVICE = { device_uid: schema('DeviceUid'), device_id: UUID };

const received = (summary: string, payload: Tree): EventEntry => ({ action: 'receive', summary, payload });
const sent = (summary: string, payload: Tree): EventEntry => ({ action: 'send', summary, payload });

/** In every namespace. */
const SESSION: Readonly<Record<string, EventEntry>> = {
	authenticate: received('Go on with a fresh access token, before the old one expires', fields({ token: TEXT })),
};

/** Socket.IO namespaces and their events. */
const NAMESPACES: Readonly<Record<string, Readonly<Record<string, EventEntry>>>> = {
	'/monitoring': {
		...SESSION,
		subscribe_device: received('Hear of a device from now on', schema('DeviceRef')),
		unsubscribe_device: received('Hear of it no more', schema('DeviceRef')),
		telemetry: sent(
			'Values at the moment they are read',
			fields({ ...DEVICE, data: schema('Metrics') }, { quality: schema('Qualities') }),
		),
		device_status: sent('The status of a device changed', fields({ ...DEVICE, status: schema('DeviceStatus') })),
		device_health: sent(
			'The health of a device changed',
			fields({ ...DEVICE, state: TEXT, since: INSTANT, reason: { type: ['string', 'null'] } }),
		),
	},
	'/device': {
		...SESSION,
		send_command: received(
			'Send a command to a device',
			fields({ device_uid: schema('DeviceUid'), command: schema('CommandInput') }),
		),
		device_response: sent(
			'What a device answered to a command of this connection',
			fields({ ...DEVICE, data: schema('CommandResponse') }),
		),
	},
	'/notification': {
		...SESSION,
		join_user_room: received('Hear of notifications for oneself', fields({ user_id: UUID })),
		notification: sent(
			'A notification',
			fields({ title: TEXT, message: TEXT, type: TEXT }, { alert_id: UUID, device_uid: schema('DeviceUid') }),
		),
	},
	'/scan': {
		...SESSION,
		watch_scans: received('On a gateway: hear of its scans from now on', { type: 'object' }),
		scan_progress: sent(
			'How far a scan is; at most twice a second, and at each unit that was found',
			fields({
				id: UUID,
				kind: { enum: ['serial', 'tcp', 'registers'] },
				subject: TEXT,
				state: { enum: ['running', 'done', 'cancelled', 'failed'] },
				reason: { type: ['string', 'null'] },
				started_by: TEXT,
				started_at: INSTANT,
				ended_at: { type: ['string', 'null'], format: 'date-time' },
				done: COUNT,
				total: COUNT,
				eta_seconds: { type: ['integer', 'null'] },
				doing: TEXT,
				found_count: COUNT,
				hint_count: COUNT,
			}),
		),
	},
};

/** Topics below `devices/{uid}/`. */
const TOPICS: Readonly<Record<string, TopicEntry>> = {
	telemetry: {
		...received('Measured values', schema('Metrics')),
		description: 'Acknowledged when it is durable. Devices read by Modbus are published here by the gateway.',
	},
	status: {
		...received('Status of the device', fields({ status: schema('DeviceStatus') })),
		description: 'May be retained, and be the last will.',
	},
	log: {
		...received('Event of the device', fields({ event_type: TEXT }, { timestamp: schema('Timestamp') })),
		description: 'Stored with the telemetry of the device.',
	},
	response: { ...received('Answer to a command', schema('CommandResponse')), description: 'Ends the command.' },
	command: {
		...sent('Remote command', schema('Command')),
		description: 'QoS 1. May come more than once, always with the same command_id.',
	},
	config: {
		...sent('Change of settings', { type: 'object', minProperties: 1 }),
		description: 'The keys belong to the device; its PUBACK executes the command.',
	},
	ota: {
		...sent('Firmware update', fields({ url: { type: 'string', format: 'uri' }, action: { const: 'update' } })),
		description: 'A new firmware to fetch.',
	},
};

const SCHEMAS: Tree = {
	DeviceUid: {
		type: 'string',
		pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$',
		description: "The device's own address: one level of an MQTT topic",
	},
	DeviceStatus: { type: 'string', enum: ['online', 'offline', 'maintenance'] },
	DeviceRef: fields({ device_uid: schema('DeviceUid') }),
	Timestamp: { type: 'string', description: 'ISO 8601, any offset; none means UTC' },
	Metrics: {
		type: 'object',
		minProperties: 1,
		properties: { timestamp: schema('Timestamp'), telemetry_type: TEXT },
		description: 'Every other property is a metric',
	},
	Qualities: {
		type: 'object',
		description: 'By point, of those that are not good',
		additionalProperties: { enum: ['stale', 'out_of_range', 'substituted', 'comm_error'] },
	},
	Command: fields({ action: TEXT, command_id: UUID }, { payload: { type: 'object' } }),
	CommandInput: {
		oneOf: [
			{ type: 'string', minLength: 1 },
			fields({ action: { type: 'string', minLength: 1 } }, { payload: { type: 'object' } }),
		],
	},
	CommandResponse: fields({ command_id: UUID }, { status: { type: 'string', enum: ['executed', 'failed'] } }),
	Error: fields({
		success: { const: false },
		detail: TEXT,
		error_code: TEXT,
		error: fields({ code: TEXT, message: TEXT }),
	}),
	Ack: {
		description: 'Argument of the acknowledgement callback',
		oneOf: [fields({ success: { const: true } }, { command_id: UUID, status: { const: 'pending' } }), schema('Error')],
	},
};

const camel = (name: string): string => name.replaceAll(/[_/]+(\w)/g, (_, letter: string) => letter.toUpperCase());

interface ChannelEntry {
	readonly key: string;
	readonly channel: Tree;
	readonly events: Readonly<Record<string, EventEntry>>;
	/** Extras of a received event. */
	readonly ack: Tree;
}

const messageOf = (name: string, { summary, payload }: EventEntry): Tree => ({ name, summary, payload });

const messagesOf = (events: Readonly<Record<string, EventEntry>>): Tree =>
	Object.fromEntries(Object.entries(events).map(([name, entry]) => [camel(name), messageOf(name, entry)]));

const namespaceChannel = ([address, events]: readonly [
	string,
	Readonly<Record<string, EventEntry>>,
]): ChannelEntry => ({
	key: address.slice(1),
	channel: {
		address,
		servers: [{ $ref: '#/servers/socketio' }],
		description: 'Socket.IO namespace; messages are its events',
		messages: messagesOf(events),
	},
	events,
	ack: { 'x-ack': schema('Ack') },
});

const topicChannel = ([name, entry]: readonly [string, TopicEntry]): ChannelEntry => ({
	key: camel(`device_${name}`),
	channel: {
		address: `devices/{uid}/${name}`,
		servers: [{ $ref: '#/servers/mqtt' }],
		description: entry.description,
		parameters: { uid: { $ref: '#/components/parameters/uid' } },
		messages: messagesOf({ [name]: entry }),
	},
	events: { [name]: entry },
	ack: {},
});

const operationsOf = ({ key, events, ack }: ChannelEntry): readonly (readonly [string, Tree])[] =>
	Object.entries(events).map(([name, { action, summary }]) => [
		camel(`${action}_${key}_${name}`),
		{
			action,
			summary,
			channel: { $ref: `#/channels/${key}` },
			messages: [{ $ref: `#/channels/${key}/messages/${camel(name)}` }],
			...(action === 'receive' && ack),
		},
	]);

/** The AsyncAPI 3 document of the MQTT topics and Socket.IO events that this product speaks with devices, pages and programs. */
export function asyncApiDocument(version: string): object {
	const channels = [...Object.entries(NAMESPACES).map(namespaceChannel), ...Object.entries(TOPICS).map(topicChannel)];
	return {
		asyncapi: '3.0.0',
		info: {
			title: 'Drawbridge events',
			version,
			description:
				'receive and send are meant from the server. A message of a Socket.IO channel is an event of that name.',
		},
		defaultContentType: 'application/json',
		servers: {
			socketio: {
				host: 'localhost:8000',
				pathname: '/socket.io/',
				protocol: 'ws',
				description: 'Socket.IO; the access token as auth.token of the handshake, or in the Authorization header',
				security: [{ $ref: '#/components/securitySchemes/bearerAuth' }],
			},
			mqtt: {
				host: 'localhost:1883',
				protocol: 'mqtt',
				protocolVersion: '3.1.1',
				description: 'Local broker of a gateway; each device has credentials of its own',
				security: [{ $ref: '#/components/securitySchemes/deviceLogin' }],
			},
		},
		channels: Object.fromEntries(channels.map(({ key, channel }) => [key, channel])),
		operations: Object.fromEntries(channels.flatMap(operationsOf)),
		components: {
			securitySchemes: {
				bearerAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
				deviceLogin: { type: 'userPassword' },
			},
			parameters: { uid: { description: 'device_uid of the device', examples: ['sensor-temp-001'] } },
			schemas: SCHEMAS,
		},
	};
}
