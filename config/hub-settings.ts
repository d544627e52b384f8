import Joi from 'joi';

import { cardSection, type CardSettings } from './card-settings.ts';
import {
	GIB,
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
	tlsListenSection,
	type TlsListenSettings,
} from './settings-schema.ts';

/** The broker that gateways connect to. */
export interface LinkSettings extends ListenSettings {
	/** Host name or address under which gateways reach the link; empty: the host they used for REST. */
	readonly publicHost: string;
}

/** How configurations reach gateways. */
export interface ConfigurationSettings {
	/** Time a gateway has to prove itself under a new revision before it rolls back by itself. */
	readonly trialSeconds: number;
}

/** Everything a hub can be told by file or environment. Deeply frozen. */
export interface HubSettings {
	readonly http: HttpSettings;
	readonly https: TlsListenSettings;
	readonly link: LinkSettings;
	readonly configuration: ConfigurationSettings;
	readonly journal: JournalSettings;
	readonly history: HistorySettings;
	readonly identity: IdentitySettings;
	readonly log: LogSettings;
	readonly card: CardSettings;
}

/** Keys, ranges and defaults of the hub's file, in the words of the file. */
export const hubSchema = section({
	http: httpSection(8101),
	https: tlsListenSection(8444),
	link: section({
		host: listenHost(),
		port: listenPort(8884),
		public_host: hostName().allow('').default(''),
	}),
	configuration: section({ trial_seconds: Joi.number().integer().min(5).max(86_400).default(600) }),
	journal: journalSection(),
	history: historySection(64 * GIB),
	identity: identitySection(),
	log: logSection(),
	card: cardSection(),
});
