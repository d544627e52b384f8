import type { GatewayId } from '../../core/kernel/id.ts';
import { createLater } from '../../core/kernel/later.ts';
import type { HubSend } from '../../core/link/link-feature.ts';
import type { Ack } from '../../core/link/link-messages.ts';
import type { GatewayPresence } from '../fleet/gateway-record.ts';
import type { HubLink } from './hub-link.ts';

/** The link as its features have it: they are made before it, because it is made of them, and talk over it once gateways can come. */
export interface LaterLink {
	readonly set: (link: HubLink) => void;
	readonly send: HubSend;
	readonly acknowledge: (gateway: GatewayId, ack: Ack) => void;
	readonly disconnect: (gateway: GatewayId, why: string) => void;
	readonly presence: (gateway: GatewayId) => GatewayPresence;
	readonly isOnline: (gateway: GatewayId) => boolean;
}

export function createLaterLink(): LaterLink {
	const { set, get } = createLater<HubLink>('the link');
	return {
		set,
		send: (...message) => get().send(...message),
		acknowledge: (gateway, ack) => get().acknowledge(gateway, ack),
		disconnect: (gateway, why) => get().disconnect(gateway, why),
		presence: (gateway) => get().presence(gateway),
		isOnline: (gateway) => get().presence(gateway).online,
	};
}
