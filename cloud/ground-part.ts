import type { ProvenFiles } from '../config/template/proven-files.ts';
import { join } from 'node:path';

import type { HubSettings } from '../config/hub-settings.ts';
import type { AdministratorSettings } from '../config/read-settings.ts';
import { readTemplates } from '../config/template/template-schema.ts';
import { openAudit } from '../core/box/audit-part.ts';
import { openIdentity } from '../core/box/identity-part.ts';
import { openStorage } from '../core/box/storage-part.ts';
import { openTime } from '../core/box/time-part.ts';
import type { WebFolder } from '../core/http/static-web.ts';
import type { Clock } from '../core/kernel/clock.ts';
import { type GatewayId, gatewayId, newGatewayId } from '../core/kernel/id.ts';
import type { Lifecycle } from '../core/kernel/lifecycle.ts';
import type { Logger } from '../core/kernel/log.ts';
import { openSettingsStore } from '../core/storage/settings-store.ts';
import type { SystemTime } from '../core/time/system-time.ts';
import { type HubTelemetryDeps, openHubTelemetry } from './telemetry-part.ts';

export interface HubDeps {
	readonly settings: HubSettings;
	/** Folder of everything durable. */
	readonly data: string;
	/** Folders of device templates; for units and texts. */
	readonly templateFolders: readonly string[];
	/** Files of these folders that need no second look; without it all of them are looked at. */
	readonly provenTemplates?: ProvenFiles;
	readonly web: WebFolder | null;
	readonly administrator: AdministratorSettings | null;
	readonly version: string;
	/** The clock of the machine. */
	readonly clock: Clock;
	/** What the machine knows of its clock; it is asked where this is missing. */
	readonly systemTime?: SystemTime;
	readonly log: Logger;
}

/** Who this hub is; made up at the first start. */
async function openHubId(path: string, log: Logger): Promise<GatewayId> {
	const store = await openSettingsStore<{ hubId: string | null }>({ path, defaults: { hubId: null }, log });
	const hubId = store.get().hubId ?? (await store.update(() => ({ hubId: newGatewayId() }))).hubId;
	return gatewayId(hubId ?? newGatewayId());
}

/**
 * What the hub is and keeps, before anything can reach it: time, accounts, samples, devices.
 * @param lost told of samples that were stored here and are gone
 */
export async function openGround(deps: HubDeps, lost: HubTelemetryDeps['lost'], lifecycle: Lifecycle) {
	const { settings, data, log } = deps;
	const time = await openTime({ data, wall: deps.clock, system: deps.systemTime, lifecycle, log });
	const base = { data, lifecycle, clock: time.clock, log };
	const loaded = await Promise.all(
		deps.templateFolders.map((folder) => readTemplates(folder, new Map(), deps.provenTemplates)),
	);
	const templates = new Map(loaded.flatMap((folder) => Array.from(folder.templates)));
	const node = await openHubId(join(data, 'hub.json'), log);
	const storage = await openStorage({ ...base, journal: settings.journal, card: settings.card });
	const audit = await openAudit({ ...base, files: storage.files('audit') });
	const people = await openIdentity({ ...base, ...settings.identity, administrator: deps.administrator });
	time.identify(node);
	const { accounts } = people;
	const { telemetry, pointFactsOf } = await openHubTelemetry({
		...base,
		settings,
		node,
		templates,
		storage,
		accounts,
		lost,
		time,
	});
	return { ...people, base, time, templates, node, storage, audit, telemetry, pointFactsOf };
}

export type Ground = Awaited<ReturnType<typeof openGround>>;
