import { type GatewayId, gatewayId } from '../kernel/id.ts';

/** Root of everything that gateway and hub say to each other. A change of meaning gets a new version number. */
export const LINK_ROOT = 'drawbridge/v1';

/** What a gateway publishes below `drawbridge/v1/{gateway_id}/up/`. */
export const UP_KINDS = [
	'hello',
	'live',
	'backfill',
	'documents',
	'devices',
	'losses',
	'commands',
	'renew',
	'records',
	'rollups',
	'time',
	'config',
	'answer',
] as const;
export type UpKind = (typeof UP_KINDS)[number];

/** What the hub publishes below `drawbridge/v1/{gateway_id}/down/`. */
export const DOWN_KINDS = [
	'welcome',
	'ack',
	'command',
	'expiring',
	'certificate',
	'records',
	'devices',
	'resend',
	'pressure',
	'time',
	'config',
	'call',
	'bundle',
] as const;
export type DownKind = (typeof DOWN_KINDS)[number];

export const upTopic = (gateway: GatewayId, kind: UpKind): string => `${LINK_ROOT}/${gateway}/up/${kind}`;
export const downTopic = (gateway: GatewayId, kind: DownKind): string => `${LINK_ROOT}/${gateway}/down/${kind}`;
export const downFilter = (gateway: GatewayId): string => `${LINK_ROOT}/${gateway}/down/+`;

const UP = new RegExp(`^${LINK_ROOT}/([0-9a-f-]{36})/up/([a-z]+)$`);

/** The gateway and kind of an up topic; `null` for any other topic. */
export function parseUpTopic(topic: string): { readonly gateway: GatewayId; readonly kind: UpKind } | null {
	const match = UP.exec(topic);
	if (match === null) return null;
	const kind = UP_KINDS.find((known) => known === match[2]);
	return kind === undefined ? null : { gateway: gatewayId(match[1] ?? ''), kind };
}
