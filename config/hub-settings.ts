import {
	historySection,
	type HistorySettings,
	hostName,
	httpSection,
	type HttpSettings,
	identitySection,
	type IdentitySettings,
	journalSection,
	type JournalSettings,
	listenHost,
	listenPort,
	type ListenSettings,
	logSection,
	type LogSettings,
	section,
} from './settings-schema.ts';

/** The broker that gateways connect to. */
export interface LinkSettings extends ListenSettings {
	/** Unencrypted listener, on loopback only, for a proxy or for development; 0: off. */
	readonly plainPort: number;
	/** Host name or address under which gateways reach the link; empty: the host they used for REST. */
	readonly publicHost: string;
}

/** Everything a hub can be told by file or environment. Deeply frozen. */
export interface HubSettings {
	readonly http: HttpSettings;
	readonly link: LinkSettings;
	readonly journal: JournalSettings;
	readonly history: HistorySettings;
	readonly identity: IdentitySettings;
	readonly log: LogSettings;
}

/** Keys, ranges and defaults of the hub's file, in the words of the file. */
export const hubSchema = section({
	http: httpSection(8101),
	link: section({
		host: listenHost(),
		port: listenPort(8884),
		plain_port: listenPort(1884),
		public_host: hostName().allow('').default(''),
	}),
	journal: journalSection(),
	history: historySection(),
	identity: identitySection(),
	log: logSection(),
});
