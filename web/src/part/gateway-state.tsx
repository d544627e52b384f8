import { t } from '../text.ts';
import type { GatewayView } from '../wire.ts';
import { Status } from './status.tsx';

/** Whether a gateway is connected, or may not be any more. */
export function GatewayState({ gateway: { online, revoked_at } }: { readonly gateway: GatewayView }) {
	if (revoked_at !== null)
		return (
			<Status tone="bad" icon="offline">
				{t('gateways.revoked')}
			</Status>
		);
	return (
		<Status tone={online ? 'ok' : 'bad'} icon={online ? 'ok' : 'offline'}>
			{t(online ? 'gateways.online' : 'gateways.offline')}
		</Status>
	);
}
