import type { ArrangedDevice } from '../../core/device/device-arrangement.ts';
import { connectionView, toConnection } from '../../config/connection/connection-schema.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import {
	type ConfigurationDocument,
	type ConfiguredDevice,
	type ConfiguredSettings,
	mergeConfigurations,
	settingsOf,
} from '../../core/configuration/configuration.ts';
import type { ConfigurationStore } from './configuration-store.ts';
import { settingsInForce } from './runtime-settings.ts';
import type { TemplateShelf } from './template-shelf.ts';

export interface OwnConfigurationDeps {
	readonly store: ConfigurationStore;
	readonly devices: Pick<DeviceService, 'all' | 'arrange'>;
	readonly shelf: Pick<TemplateShelf, 'install'>;
	/** What the settings file says. */
	readonly file: ConfiguredSettings;
	/** Devices or templates are others now: what polls has to look. Resolves when it has. */
	readonly rearranged: () => Promise<void>;
	/** The hub is reached elsewhere from now on. */
	readonly linkMoved: () => Promise<void>;
}

const toArranged = (uid: string, device: ConfiguredDevice): ArrangedDevice => ({
	uid: deviceUid(uid),
	name: device.name,
	deviceType: device.device_type,
	metadata: device.metadata,
	connection: toConnection(device.connection),
});

/** What this gateway runs, read from where it really is, and how another configuration takes its place. */
export function createOwnConfiguration(deps: OwnConfigurationDeps) {
	const { store, devices, shelf, file } = deps;

	const settings = (): ConfiguredSettings => settingsInForce(file, store.get().inForce);

	function whole(): ConfigurationDocument {
		const entries = devices
			.all()
			.map(({ uid, name, deviceType, metadata, connection }) => [
				uid,
				{ name, device_type: deviceType, metadata, connection: connectionView(connection) },
			]);
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- metadata of a device is JSON
		const configured = Object.fromEntries(entries) as ConfigurationDocument['devices'];
		return { format: 1, ...settings(), devices: configured, templates: store.get().inForce?.templates ?? {} };
	}

	return {
		settings,
		/** The whole configuration, local changes included. */
		whole,
		/** What is to be written down as being in force before `make` is called. */
		inForce: (document: ConfigurationDocument) => ({
			settings: settingsOf(document),
			templates: document.templates,
			file,
		}),
		/**
		 * Makes templates and devices those of a document; again after a power cut in the middle.
		 * @param since what this gateway ran when the document was made: what somebody has changed meanwhile stays
		 */
		async make(document: ConfigurationDocument, since: ConfigurationDocument): Promise<void> {
			await shelf.install(document.templates);
			await devices.arrange(() => {
				const gateway = { ...whole(), templates: since.templates };
				const merged = mergeConfigurations({ base: since, gateway, hub: document, decide: () => 'gateway' });
				return Object.entries(merged.document.devices).map(([uid, device]) => toArranged(uid, device));
			});
			await deps.rearranged();
		},
		/** Goes to the hub anew when one of the two reaches it elsewhere than the other. */
		async moveLink(before: ConfigurationDocument, after: ConfigurationDocument): Promise<void> {
			const { uplink: from } = before;
			const { uplink: to } = after;
			if (from.link_host !== to.link_host || from.link_port !== to.link_port) await deps.linkMoved();
		},
	};
}

export type OwnConfiguration = ReturnType<typeof createOwnConfiguration>;
