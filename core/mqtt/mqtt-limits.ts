import type { SocketLimits } from './guarded-socket.ts';

/** What one broker takes before it says no. Everything has a limit, so that no client can use up the box. */
export interface MqttLimits extends SocketLimits {
	/** Connections at once, also those that have not yet authenticated. */
	readonly connections: number;
	/** Connections at once of one account. */
	readonly connectionsPerAccount: number;
	/** Topic filters of one connection. */
	readonly subscriptions: number;
	/** Levels of a topic or filter. */
	readonly topicLevels: number;
	/** UTF-16 units of a client identifier. */
	readonly clientIdLength: number;
	/** QoS 1 and 2 messages that one connection has not acknowledged; one more cuts it. */
	readonly unacknowledged: number;
	/** QoS 0 messages to a connection with more unsent bytes than this are dropped. */
	readonly dropAboveBytes: number;
	/** Retained messages, all topics. */
	readonly retainedMessages: number;
	/** Bytes of all retained payloads. */
	readonly retainedBytes: number;
	/** Longest wait for CONNECT after the connection was opened, ms. */
	readonly connectTimeoutMs: number;
}

export const DEFAULT_MQTT_LIMITS: MqttLimits = {
	connections: 1_000,
	connectionsPerAccount: 8,
	subscriptions: 64,
	topicLevels: 10,
	clientIdLength: 256,
	firstPacketBytes: 32 * 1024,
	packetBytes: 256 * 1024,
	dropAboveBytes: 256 * 1024,
	backlogBytes: 4 * 1024 * 1024,
	unacknowledged: 2_048,
	retainedMessages: 10_000,
	retainedBytes: 16 * 1024 * 1024,
	connectTimeoutMs: 10_000,
};
