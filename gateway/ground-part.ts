import type { ProvenFiles } from '../config/template/proven-files.ts';
import { join } from 'node:path';

import type { GatewaySettings } from '../config/gateway-settings.ts';
import type { AdministratorSettings } from '../config/read-settings.ts';
import { openAlarms } from '../core/box/alarm-part.ts';
import { openAudit } from '../core/box/audit-part.ts';
import { openIdentity } from '../core/box/identity-part.ts';
import { openLanTls } from '../core/box/lan-tls-part.ts';
import { openStorage } from '../core/box/storage-part.ts';
import { openTime } from '../core/box/time-part.ts';
import type { WebFolder } from '../core/http/static-web.ts';
import type { Clock } from '../core/kernel/clock.ts';
import { deviceUid } from '../core/kernel/id.ts';
import type { Lifecycle } from '../core/kernel/lifecycle.ts';
import type { Logger } from '../core/kernel/log.ts';
import type { SystemTime } from '../core/time/system-time.ts';
import { openPorts } from './driver/port/port-part.ts';
import { openConfiguration } from './configuration/open-configuration.ts';
import { type GatewayTelemetryDeps, openGatewayTelemetry } from './telemetry-part.ts';
import { hubWord, openThinnedDays } from './uplink/thinned-days.ts';
import { openUplinkStore } from './uplink/uplink-store.ts';

export interface GatewayDeps {
	readonly settings: GatewaySettings;
	/** Folder of everything durable. */
	readonly data: string;
	/** Folders of device templates; later ones win. */
	readonly templateFolders: readonly string[];
	/** Files of these folders that need no second look; without it all of them are looked at. */
	readonly provenTemplates?: ProvenFiles;
	/** Folder of the definitions of SunSpec models. */
	readonly sunspecFolder: string;
	readonly web: WebFolder | null;
	readonly administrator: AdministratorSettings | null;
	readonly version: string;
	/** The clock of the machine. */
	readonly clock: Clock;
	/** What the machine knows of its clock; it is asked where this is missing. */
	readonly systemTime?: SystemTime;
	readonly log: Logger;
}

/** What the box is and keeps, before anything can reach it: time, settings, accounts, samples, devices, alarms. @param told hears of samples that the journal has no more */
export async function openGround(
	deps: GatewayDeps,
	told: Pick<GatewayTelemetryDeps, 'lost' | 'moved'>,
	lifecycle: Lifecycle,
) {
	const { data, log } = deps;
	const time = await openTime({ data, wall: deps.clock, system: deps.systemTime, lifecycle, log });
	const base = { data, lifecycle, clock: time.clock, log };
	const opened = await openConfiguration({ ...deps, data, log });
	const { settings, templates } = opened;
	const store = await openUplinkStore({ path: join(data, 'uplink.json'), log });
	const gatewayId = store.gatewayId();
	const hasHub = (): boolean => store.enrolment() !== null;
	time.identify(gatewayId);
	const storage = await openStorage({ ...base, journal: settings.journal, card: settings.card });
	const audit = await openAudit({ ...base, files: storage.files('audit') });
	const people = await openIdentity({ ...base, ...settings.identity, administrator: deps.administrator });
	const { accounts } = people;
	const lanTls = await openLanTls({ ...base, isLocal: true, moreNames: [] });
	const thinned = await openThinnedDays({ path: join(data, 'thinned-days.json'), gatewayId, hub: hubWord(store), log });
	const serialPorts = await openPorts(base);
	const { telemetry, pointFactsOf } = await openGatewayTelemetry({
		...base,
		settings,
		gatewayId,
		hasHub,
		templates,
		storage,
		accounts,
		ports: serialPorts.ports,
		...told,
		thinned,
		time,
	});
	const alarmPart = await openAlarms({ ...base, node: gatewayId, gatewayId, hasHub, time, telemetry, accounts, audit });
	if (opened.isOfFile)
		await telemetry.devices.declare(
			Array.from(settings.devices, (device) => ({ ...device, uid: deviceUid(device.uid) })),
		);
	return {
		...people,
		base,
		time,
		opened,
		store,
		gatewayId,
		storage,
		audit,
		lanTls,
		telemetry,
		thinned,
		serialPorts,
		pointFactsOf,
		alarmPart,
	};
}

export type Ground = Awaited<ReturnType<typeof openGround>>;
