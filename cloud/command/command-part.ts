import type { DeviceTemplate } from '../../config/template/template.ts';
import { openCommands } from '../../core/box/command-part.ts';
import type { TelemetryPart } from '../../core/box/telemetry-part.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { linkMessage } from '../../core/link/link-messages.ts';
import type { LaterLink } from '../link/later-link.ts';
import { assertGatewayTakes } from './draft-check.ts';
import { awaitedUntil, createGatewayCommands } from './gateway-commands.ts';

export interface HubCommandPartDeps {
	/** Folder of everything durable. */
	readonly data: string;
	readonly telemetry: Pick<TelemetryPart, 'devices' | 'deviceRepository'>;
	readonly templates: ReadonlyMap<string, DeviceTemplate>;
	readonly link: Pick<LaterLink, 'send' | 'isOnline'>;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Commands for devices behind gateways, and the way of both over the link. */
export async function openHubCommands(deps: HubCommandPartDeps) {
	const { data, templates, link, lifecycle, clock, log } = deps;
	const { devices, deviceRepository } = deps.telemetry;
	const part = await openCommands({
		data,
		devices,
		assertFits: (device, draft) => assertGatewayTakes(device, draft, templates),
		awaitedUntil,
		lifecycle,
		clock,
		log,
	});
	const { commands, responses } = part;
	const ofGateways = lifecycle.own(
		'commands of gateways',
		createGatewayCommands({
			commands,
			deviceOf: (id) => deviceRepository.find(id),
			send: (gateway, message) => link.send(gateway, 'command', linkMessage('command', message)),
			isOnline: link.isOnline,
			listeners: responses,
			clock,
			log,
		}),
	);
	commands.listen(ofGateways.command);
	return { part, feature: ofGateways.feature };
}
