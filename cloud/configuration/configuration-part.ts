import { join } from 'node:path';

import { parseTemplate } from '../../config/template/template-schema.ts';
import type { TemplateDocument } from '../../config/template/template.ts';
import { type HttpPart, part } from '../../core/http/server.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { type ConfigDown, configMessage } from '../../core/link/config-messages.ts';
import type { GatewayRepository } from '../fleet/gateway-record.ts';
import type { LaterLink } from '../link/later-link.ts';
import { createConfigurationLink } from './configuration-link.ts';
import { gatewayConfigurationRoutes } from './configuration-routes.ts';
import { createGatewayConfigurations } from './gateway-configurations.ts';
import { openRevisionStore } from './revision-store.ts';

export interface HubConfigurationDeps {
	/** Folder of everything durable. */
	readonly data: string;
	readonly settings: { readonly trialSeconds: number };
	/** Of the product: those that a gateway's own may extend. */
	readonly templates: ReadonlyMap<string, TemplateDocument>;
	readonly gateways: Pick<GatewayRepository, 'find'>;
	readonly link: Pick<LaterLink, 'send' | 'isOnline'>;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** The configurations of the gateways. */
export async function openConfigurations(deps: HubConfigurationDeps) {
	const { data, settings, templates, gateways, link, lifecycle, clock, log } = deps;
	const repository = lifecycle.own('configurations', await openRevisionStore(join(data, 'configuration'), log));
	const send = (gateway: GatewayId, message: ConfigDown): boolean =>
		link.send(gateway, 'config', configMessage(message));
	const configurations = createGatewayConfigurations({
		repository,
		send,
		parseTemplate: (key, raw) => parseTemplate(key, raw, templates),
		clock,
	});
	const { trialSeconds } = settings;
	const routes: readonly HttpPart[] = [
		part(gatewayConfigurationRoutes, { gateways, configurations, isOnline: link.isOnline, trialSeconds }, '/api/v1'),
	];
	return { feature: createConfigurationLink({ configurations, repository, send, clock, log }), routes };
}
