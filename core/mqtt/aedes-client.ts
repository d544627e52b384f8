import type { Aedes, AedesPublishPacket, Client } from 'aedes';

/** What an aedes client has beside its declared type. */
interface Delivering {
	/** Writes one message at its own QoS to this client alone, past queues and subscriptions; `done` once it was written or dropped. */
	deliverQoS(packet: ForwardPacket, done: () => void): void;
}

/** A message on its way to one client. */
export type ForwardPacket = AedesPublishPacket & {
	/** Set: sent with this identifier. */
	messageId?: number | undefined;
};

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- aedes 1.2 has it on every client and leaves it out of its types
const delivering = (client: Client): Client & Delivering => client as Client & Delivering;

/** Sends one message to one client; resolves once it was written, or dropped with the connection. */
export const deliverTo = (client: Client, packet: ForwardPacket): Promise<void> =>
	new Promise((resolve) => delivering(client).deliverQoS(packet, resolve));

/**
 * Tells of every PUBACK and PUBCOMP. The event `ack` does not say which message is meant; aedes asks its persistence to forget it
 * first, and there the packet is.
 */
export function onAcknowledgement(
	aedes: Aedes,
	listener: (client: Client, packet: { readonly messageId?: number }) => void,
): void {
	const persistence: unknown = Reflect.get(aedes, 'persistence');
	if (typeof persistence !== 'object' || persistence === null) throw new TypeError('no persistence');
	const forget: unknown = Reflect.get(persistence, 'outgoingClearMessageId');
	if (typeof forget !== 'function') throw new TypeError('no persistence');
	Reflect.set(persistence, 'outgoingClearMessageId', (client: Client, packet: { readonly messageId?: number }) => {
		listener(client, packet);
		return Reflect.apply(forget, persistence, [client, packet]) as unknown;
	});
}
