import type { AedesPublishPacket, Client } from 'aedes';

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

const NO_DUPLICATES: object = new Proxy({}, { get: () => 0, set: () => true });

/**
 * aedes takes a message for a repetition when one with a higher counter was forwarded to the client before. Messages of QoS 1 pass
 * through more steps than those of QoS 0 and are overtaken by them; they would be lost. Repetitions are told apart in `forwarding.ts`.
 */
export const keepOvertaken = (client: Client): boolean => Reflect.set(client, 'duplicates', NO_DUPLICATES);

/** Makes the connection one whose session ends with it, after aedes has read its CONNECT. */
export const endsWithConnection = (client: Client): boolean => Reflect.set(client, 'clean', true);
