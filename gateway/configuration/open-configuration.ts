import type { ProvenFiles } from '../../config/template/proven-files.ts';
import { hash } from 'node:crypto';
import { join } from 'node:path';

import type { GatewaySettings } from '../../config/gateway-settings.ts';
import type { SettingsMistake } from '../../config/settings-fault.ts';
import type { TemplateDocument } from '../../config/template/template.ts';
import { parseTemplate, readTemplates } from '../../config/template/template-schema.ts';
import type { DeviceListener } from '../../core/device/device-events.ts';
import type { DeviceRepository } from '../../core/device/device-repository.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import type { Device } from '../../core/device/device.ts';
import type { SetTimer } from '../../core/journal/set-timer.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import { createGate } from '../../core/kernel/gate.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { ReadingListener } from '../../core/telemetry/telemetry-service.ts';
import { createConfigurationChanger } from './configuration-changer.ts';
import { createConfigurationService } from './configuration-service.ts';
import { type Change, openConfigurationStore } from './configuration-store.ts';
import { createConfigurationUplink } from './configuration-uplink.ts';
import { createDocumentCheck } from './document-check.ts';
import { createOwnConfiguration } from './own-configuration.ts';
import { restartNeeded, settingsInForce, settingsOfFile, withConfigured } from './runtime-settings.ts';
import { openTemplateLibrary } from '../template/template-library.ts';
import { openTemplateShelf } from './template-shelf.ts';

export interface OpenConfigurationDeps {
	readonly data: string;
	/** As the file and the environment have it. */
	readonly settings: GatewaySettings;
	/** Folders of device templates of the product and of the box; later ones win. */
	readonly templateFolders: readonly string[];
	/** Files of these folders that need no second look. */
	readonly provenTemplates?: ProvenFiles;
	readonly log: Logger;
}

export interface StartConfigurationDeps {
	readonly devices: DeviceService;
	readonly deviceRepository: Pick<DeviceRepository, 'all'>;
	/** Devices or templates are others now; resolves when what polls has looked. */
	readonly rearranged: () => Promise<void>;
	readonly linkMoved: () => Promise<void>;
	/** Logins of a device that is gone, or is no MQTT device any more, are to go. */
	readonly loginsOf: (device: Device) => void;
	/** PEM of the hub's authority; `null` without a hub. */
	readonly hubCa: () => string | null;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

/** Changes of the configuration that may wait for each other. */
const MAX_WAITING = 1_000;
/** A change that could not be taken back, because the disk was full, is tried again after this time. */
const TRY_AGAIN_MS = 30_000;

/** A later folder may extend what an earlier one has. */
async function loadTemplates({
	templateFolders: folders,
	provenTemplates: proven,
	log,
}: Pick<OpenConfigurationDeps, 'templateFolders' | 'provenTemplates' | 'log'>) {
	const templates = new Map<string, TemplateDocument>();
	const mistakes: SettingsMistake[] = [];
	for (const folder of folders) {
		const loaded = await readTemplates(folder, templates, proven);
		for (const [key, template] of loaded.templates) templates.set(key, template);
		mistakes.push(...loaded.mistakes);
	}
	for (const { path, message } of mistakes) log.error('template-refused', { path, reason: message });
	return { templates, mistakes };
}

/** What is known of the configuration before anything else runs: the settings in force and the templates. */
export async function openConfiguration({ data, settings: file, log, ...where }: OpenConfigurationDeps) {
	const { templates: base, mistakes } = await loadTemplates({ ...where, log });
	const library = await openTemplateLibrary({ folder: join(data, 'site-templates'), base, log });
	const store = await openConfigurationStore(join(data, 'configuration.json'), log);
	const shelf = await openTemplateShelf({
		folder: join(data, 'templates'),
		base: library.templates,
		parse: (key, raw) => parseTemplate(key, raw, base),
		log,
	});
	await shelf.install(store.get().inForce?.templates ?? {});
	const ofFile = settingsOfFile(file);
	const now = () => settingsInForce(ofFile, store.get().inForce);
	const atStart = now();

	function start(deps: StartConfigurationDeps) {
		const { devices, deviceRepository, clock, setTimer } = deps;
		const gate = createGate({ what: 'changes of the configuration', parallel: 1, waiting: MAX_WAITING });
		let cancelRetry: (() => void) | null = null;

		/** One after the other. What could not be taken back, because the disk was full, is tried again. */
		async function run<T>(work: () => Promise<T>): Promise<T> {
			try {
				return await gate.run(work);
			} catch (error) {
				cancelRetry?.();
				cancelRetry = setTimer(() => {
					if (changer.change()?.stage === 'undoing') inTurn(() => changer.undo('the first try has failed'));
				}, TRY_AGAIN_MS);
				throw error;
			}
		}

		function inTurn(work: () => Promise<void>): void {
			run(work).catch((error: unknown) => log.error('configuration-not-changed', { reason: messageOf(error) }));
		}

		/** While a way back is open, a login of what it would bring back is kept. */
		function isHeld({ uid }: Device): boolean {
			const change = changer.change();
			return change !== null && Object.hasOwn(change.before.whole.devices, uid);
		}

		function settled({ before }: Change): void {
			for (const device of deviceRepository.all())
				if (Object.hasOwn(before.whole.devices, device.uid)) deps.loginsOf(device);
			uplink.settled();
			inTurn(() => configuration.tidy());
		}

		const own = createOwnConfiguration({
			store,
			devices,
			shelf,
			file: ofFile,
			rearranged: deps.rearranged,
			linkMoved: deps.linkMoved,
		});
		const changer = createConfigurationChanger({ store, own, devices, settled, inTurn, clock, setTimer, log });
		const configuration = createConfigurationService({
			store,
			own,
			changer,
			shelf,
			mistakesOf: createDocumentCheck({ shelf, base: library.templates, segmentBytes: file.journal.segmentBytes }),
			restartNeeded: () => restartNeeded(atStart, now()),
			clock,
			log,
		});
		const uplink = createConfigurationUplink({
			configuration,
			trial: changer.trial,
			hub: () => {
				const caPem = deps.hubCa();
				return caPem === null ? null : hash('sha256', caPem, 'hex');
			},
			inTurn: run,
			setTimer,
			log,
		});
		const device: DeviceListener = {
			changed(changed) {
				if (changed.deletedAt !== null) changer.trial.gone(changed.id);
				if (!isHeld(changed)) deps.loginsOf(changed);
				uplink.changed();
			},
		};
		const reading: ReadingListener = ({ device: id, qualities }) => {
			if (changer.trial.awaits(id) && (qualities === null || qualities.includes('good'))) changer.trial.heard(id);
		};
		return {
			configuration,
			uplink,
			/** To be added to the listeners of the device service. */
			device,
			/** To be added to the listeners of readings. */
			reading,
			/** The document that runs, local changes included. */
			whole: own.whole,
			/** Before anything is polled: ends what a power cut has interrupted. */
			recover: () => changer.recover(),
			resume: () => changer.resume(),
			/** One after the other with what the hub wants. */
			inTurn: run,
			async stop(): Promise<void> {
				changer.trial.end();
				cancelRetry?.();
				await gate.run(async () => undefined);
			},
		};
	}

	return {
		templates: shelf.templates,
		/** Where those of the site are kept, and which of all are in force. */
		library,
		shelf,
		/** Of template files that cannot be used. */
		mistakes,
		/** The settings of this start. */
		settings: withConfigured(file, atStart),
		/** Those that may change while the process runs. */
		now,
		/** No hub has ever configured this gateway: the devices of the settings file are meant. */
		isOfFile: store.get().inForce === null,
		start,
	};
}

export type OpenConfiguration = Awaited<ReturnType<typeof openConfiguration>>;
export type StartedConfiguration = ReturnType<OpenConfiguration['start']>;
