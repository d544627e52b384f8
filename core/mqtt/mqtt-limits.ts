import type { GateLimits } from './connection-gate.ts';
import type { SocketLimits } from './guarded-socket.ts';
import type { SessionLimits } from './session/session-store.ts';
import type { TopicBounds } from './topic.ts';

/** What one broker takes before it says no. Everything has a limit, so that no client can use up the box. */
export interface MqttLimits extends SocketLimits, GateLimits, SessionLimits, TopicBounds {
	/** Connections at once of one account. */
	readonly connectionsPerAccount: number;
	/** Topic filters of one connection. */
	readonly subscriptions: number;
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
	/** Longest keepalive; a client that asks for more, or for none (0), gets this one. A silent client goes after 1.5 times it. */
	readonly keepaliveS: number;
}

const HOUR_MS = 60 * 60_000;

export const DEFAULT_MQTT_LIMITS: MqttLimits = {
	connections: 1_000,
	connectionsPerAddress: 250,
	connectRate: { burst: 250, perSecond: 20 },
	failedLogins: { burst: 30, perSecond: 2 },
	connectionsPerAccount: 8,
	subscriptions: 64,
	topicLevels: 10,
	topicLength: 512,
	clientIdLength: 256,
	firstPacketBytes: 32 * 1024,
	packetBytes: 256 * 1024,
	unacknowledged: 16_384,
	inboundQos2: 100,
	dropAboveBytes: 256 * 1024,
	backlogBytes: 4 * 1024 * 1024,
	sessions: 1_000,
	sessionsPerAccount: 8,
	sessionMessages: 100,
	sessionBytes: 256 * 1024,
	allSessionsBytes: 32 * 1024 * 1024,
	sessionExpiryMs: 24 * HOUR_MS,
	retainedMessages: 10_000,
	retainedBytes: 16 * 1024 * 1024,
	connectTimeoutMs: 10_000,
	keepaliveS: 3_600,
};
