import { readSettings } from '../../config/read-settings.ts';
import { openTelemetry, type TelemetryPart } from '../../core/box/telemetry-part.ts';
import { nodeFileLayer } from '../../core/journal/node-file-layer.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import { silentLog } from '../../core/kernel/log.ts';

/** Devices, journal and history of a gateway with the settings that it has by default, and with nobody around it. */
export function openGatewayTelemetry(
	data: string,
	origin: GatewayId,
	templates: ReadonlySet<string>,
	lifecycle: Lifecycle,
): Promise<TelemetryPart> {
	const { journal, history } = readSettings({ role: 'gateway', environment: {} });
	return openTelemetry({
		data,
		journal,
		files: () => nodeFileLayer,
		holders: [],
		givesUpHeld: true,
		history,
		pointFactsOf: () => null,
		origin,
		gatewayId: origin,
		templates,
		accounts: { byId: () => undefined },
		onLoss: () => undefined,
		lost: () => undefined,
		clock: systemClock,
		log: silentLog,
		lifecycle,
	});
}
