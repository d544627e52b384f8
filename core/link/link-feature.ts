import type { GatewayId } from '../kernel/id.ts';
import type { DownKind, UpKind } from './link-topics.ts';

/**
 * Says something to the hub with QoS 1. Resolves when the hub has taken it: what a feature's `hears` stores is then on disk there.
 * @throws Fault `unreachable` or `timeout` when the hub has not heard it
 */
export type UplinkSend = (kind: UpKind, payload: Uint8Array) => Promise<void>;

/** A part of the gateway that talks to its counterpart at the hub. */
export interface UplinkFeature {
	/** What it hears. A throw is logged and changes nothing else. */
	readonly hears: Readonly<Partial<Record<DownKind, (payload: Uint8Array) => void>>>;
	/**
	 * A session has begun: the hub has said what it holds and knows this gateway's devices. Resolves when what has to go before live values
	 * has gone; features take turns in the order in which they are registered. `send` may be used until the signal is aborted.
	 * A rejection renews the connection.
	 */
	readonly begin: (send: UplinkSend, signal: AbortSignal) => Promise<void>;
	/** What the hub may not know yet, for whoever brings it another way than the link; nothing counts as told by it. */
	readonly carried?: () => Iterable<CarriedMessage>;
}

/** A message of a feature that is carried. */
export interface CarriedMessage {
	readonly kind: 'records' | 'time';
	readonly payload: Uint8Array;
}

/**
 * Says something to a gateway with QoS 1; `false` when it is not there to hear it. Nothing is kept for it: what must arrive is said
 * again when the gateway begins its next session.
 */
export type HubSend = (gateway: GatewayId, kind: DownKind, payload: Uint8Array) => boolean;

/** A part of the hub that talks to its counterpart at a gateway. */
export interface HubLinkFeature {
	/**
	 * What it hears; resolves when it is stored. A Fault other than `unavailable` and `timeout` says that another try would change nothing:
	 * it is logged and the message counts as taken. Any other rejection ends in the message being sent again with the next session.
	 */
	readonly hears: Readonly<Partial<Record<UpKind, (gateway: GatewayId, payload: Uint8Array) => Promise<void>>>>;
	/** A gateway has come and was welcomed. */
	readonly begin: (gateway: GatewayId) => void;
}
