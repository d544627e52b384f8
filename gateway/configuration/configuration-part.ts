import { type HttpPart, part } from '../../core/http/server.ts';
import { systemTimer } from '../../core/journal/set-timer.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { ReadingListener } from '../../core/telemetry/telemetry-service.ts';
import { configurationRoutes } from './configuration-routes.ts';
import type { OpenConfiguration, StartConfigurationDeps } from './open-configuration.ts';

export interface ConfigurationPartDeps extends Omit<StartConfigurationDeps, 'setTimer'> {
	readonly opened: Pick<OpenConfiguration, 'start'>;
	readonly gatewayId: GatewayId;
	/** Listeners of readings; the configuration under trial adds itself. */
	readonly listeners: ReadingListener[];
	readonly lifecycle: Lifecycle;
}

/** What changes the configuration while the gateway runs. A change that a power cut has interrupted is ended here, before anything is polled. */
export async function startConfiguration({ opened, gatewayId, listeners, lifecycle, ...deps }: ConfigurationPartDeps) {
	const configuration = lifecycle.own('configuration', opened.start({ ...deps, setTimer: systemTimer }));
	deps.devices.listen(configuration.device);
	listeners.push(configuration.reading);
	await configuration.recover();
	const routes: readonly HttpPart[] = [part(configurationRoutes, { gatewayId, configuration }, '/api/v1')];
	return { feature: configuration.uplink, resume: configuration.resume, routes };
}
