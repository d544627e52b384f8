import { deliverTo, type ForwardPacket } from './aedes-client.ts';
import { type Connection, forwardQos, type Qos } from './connection.ts';
import type { MqttAccount } from './mqtt.ts';

export interface ForwardingDeps {
	/** QoS 0 messages to a connection with more unsent bytes than this are dropped. */
	readonly dropAboveBytes: number;
	readonly droppedForSlowClient: () => void;
	/** A connection that acknowledges nothing any more. */
	readonly cutOff: (connection: Connection<MqttAccount>) => void;
}

/**
 * Decides what becomes of a message on its way to one connection. aedes calls it once for each filter that matches; it forwards at the
 * QoS granted, under an identifier of the connection's window, and never past older messages of the session.
 */
export function createForwarding({ dropAboveBytes, droppedForSlowClient, cutOff }: ForwardingDeps) {
	function plain(connection: Connection<MqttAccount>, packet: ForwardPacket): ForwardPacket | null {
		if (connection.socket.writableLength <= dropAboveBytes) return packet.qos === 0 ? packet : { ...packet, qos: 0 };
		droppedForSlowClient();
		return null;
	}

	function acknowledged(connection: Connection<MqttAccount>, packet: ForwardPacket, qos: Qos): ForwardPacket | null {
		const { session, client, window } = connection;
		// Until the session's older messages are out, a newer one waits behind them; then it is sent from there.
		if (session !== null && (!connection.isReady || session.holder !== client)) return null;
		const messageId = window.take();
		if (messageId === null) {
			cutOff(connection);
			return null;
		}
		const queued = session?.queue.find(packet.brokerCounter);
		if (queued !== undefined) queued.messageId = messageId;
		return { ...packet, qos, messageId };
	}

	return {
		forward(connection: Connection<MqttAccount>, packet: ForwardPacket): ForwardPacket | null {
			if (packet.messageId !== undefined) return packet;
			if (packet.brokerCounter === connection.lastCounter) return null;
			connection.lastCounter = packet.brokerCounter;
			if (packet.qos === 0) return plain(connection, packet);
			const granted = forwardQos(connection, packet.topic);
			if (granted === 0) return plain(connection, packet);
			return acknowledged(connection, packet, granted < packet.qos ? granted : packet.qos);
		},

		/** Sends what a session kept while its client was away; what was sent before goes out again under its identifier. */
		sendKept({ client, window, session }: Connection<MqttAccount>): void {
			for (const message of session?.queue.all() ?? []) {
				if (message.isReceived) continue;
				const dup = message.messageId !== null;
				message.messageId ??= window.take();
				const { messageId, qos, packet } = message;
				if (messageId === null) return;
				void deliverTo(client, { ...packet, brokerId: '', qos, messageId, dup });
			}
		},
	};
}
