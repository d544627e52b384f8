import type {
	ConfigurationDocument,
	ConfiguredSettings,
	TemplateReference,
} from '../../core/configuration/configuration.ts';
import type { EpochMs } from '../../core/kernel/clock.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { ConfigOrder, ConfigOutcome, Overwritten } from '../../core/link/config-messages.ts';
import { openSettingsStore, type SettingsStore } from '../../core/storage/settings-store.ts';

/** A revision of the hub as this gateway holds it. */
export interface HeldRevision {
	readonly revision: number;
	readonly checksum: string;
	readonly document: ConfigurationDocument;
	readonly author: string;
}

/** All that is needed to go back. */
export interface Footing {
	/** `null`: revision 0, no revision of the hub. */
	readonly running: HeldRevision | null;
	/** What the gateway really ran, local changes included. */
	readonly whole: ConfigurationDocument;
}

/** A change of the configuration that is not over; it is written down before anything else is touched. */
export interface Change {
	/** Found at a start, `applying` and `undoing` are undone; a `trial` goes on. */
	readonly stage: 'applying' | 'trial' | 'undoing';
	readonly order: ConfigOrder;
	readonly before: Footing;
	/** What the revision and the local changes have made together. */
	readonly target: ConfigurationDocument;
	readonly overwritten: readonly Overwritten[];
	/** device_uid of those that have to work again. */
	readonly mustWork: readonly string[];
	/** Starts of this process while on trial. */
	readonly starts: number;
	readonly at: EpochMs;
	/** Why it is undone. */
	readonly reason: string | null;
	/** The order that wanted it undone; `null`: none of the hub. */
	readonly undoneBy: number | null;
}

/** What the last change of the configuration has put into force, devices apart. */
export interface InForce {
	readonly settings: ConfiguredSettings;
	readonly templates: Readonly<Record<string, TemplateReference>>;
	/** What the settings file said at that time: a difference to it is a change that somebody has made at the box. */
	readonly file: ConfiguredSettings;
}

export interface SavedConfiguration {
	/** Fingerprint of the authority of the hub that the revisions are of. */
	readonly hub: string | null;
	readonly running: HeldRevision | null;
	/** `null`: no revision was ever applied here; the settings file counts. */
	readonly inForce: InForce | null;
	/** What the present revision has replaced, and what it made of it. */
	readonly previous: { readonly before: Footing; readonly target: ConfigurationDocument } | null;
	readonly change: Change | null;
	readonly last: ConfigOutcome | null;
}

export type ConfigurationStore = SettingsStore<SavedConfiguration>;

/** `configuration.json` in the data folder: old and new beside each other, replaced in one step. */
export const openConfigurationStore = (path: string, log: Logger): Promise<ConfigurationStore> =>
	openSettingsStore<SavedConfiguration>({
		path,
		defaults: { hub: null, running: null, inForce: null, previous: null, change: null, last: null },
		log,
	});
