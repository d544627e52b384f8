import type { Device } from '../../core/device/device.ts';
import type { RunningRollups } from '../../core/history/rollups.ts';
import { type EpochMs, epochMs } from '../../core/kernel/clock.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { HubLinkFeature } from '../../core/link/link-feature.ts';
import { parseRollups } from '../../core/link/rollup-messages.ts';
import type { TimeVerdict } from '../../core/time/possible-time.ts';

export interface GatewayRollupsDeps {
	readonly receive: RunningRollups['receive'];
	/** The device as the hub knows it. */
	readonly deviceOf: (id: DeviceId) => Pick<Device, 'gatewayId'> | null;
	/** What can be said of the instant of a reading. */
	readonly verdictOn: (readAt: EpochMs) => TimeVerdict;
	readonly log: Logger;
}

/** Takes the sums that gateways send of hours whose samples they have let go: durable before the message counts as taken. */
export const createGatewayRollups = ({ receive, deviceOf, verdictOn, log }: GatewayRollupsDeps): HubLinkFeature => ({
	begin: () => undefined,
	hears: {
		async rollups(gateway, payload) {
			const hours = parseRollups(payload);
			const own = hours.filter(
				({ device, hourMs }) => deviceOf(device)?.gatewayId === gateway && verdictOn(epochMs(hourMs)) === 'possible',
			);
			if (own.length < hours.length)
				log.warn('rollups-refused', {
					gateway,
					hours: hours.length - own.length,
					reason: 'not a device of this gateway, or an impossible time',
				});
			const taken = await receive(own);
			log.info('rollups-received', { gateway, hours: own.length, taken });
		},
	},
});
