import type { ConnectionView } from '../../config/connection/connection-schema.ts';
import { portOf } from '../../config/connection/connection.ts';
import { isEqualJson, isJsonObject, type JsonObject } from './canonical-json.ts';
import { type Conflict, mergeThreeWay, type Side } from './merge.ts';
import type { JsonValue } from '../telemetry/reading.ts';

/** What a configuration says of one device. Its id, its owner, its state and its logins are no configuration. */
export interface ConfiguredDevice {
	readonly name: string;
	readonly device_type: string;
	readonly metadata: JsonObject;
	readonly connection: ConnectionView | null;
}

/** Settings that may change without anybody at the box. Listeners, identity and folders are not among them. */
export interface ConfiguredSettings {
	readonly site: { readonly name: string };
	readonly journal: {
		readonly flush_interval_ms: number;
		readonly min_flush_gap_ms: number;
		readonly max_bytes: number;
	};
	readonly history: { readonly retention_days: number; readonly rollup_days: number; readonly max_bytes: number };
	readonly uplink: {
		/** Empty, and port 0: as the hub says at enrolment. */
		readonly link_host: string;
		readonly link_port: number;
		readonly backfill_bytes_per_second: number;
	};
}

/** Names the content of a device template, which travels and is kept beside the document. */
export interface TemplateReference {
	readonly sha256: string;
}

/**
 * The operable configuration of a gateway, in the words of REST because people read it and patches name its places. It never holds a secret.
 */
export interface ConfigurationDocument extends ConfiguredSettings {
	readonly format: 1;
	/** By device_uid. */
	readonly devices: Readonly<Record<string, ConfiguredDevice>>;
	/** By template key; beside the templates of the product and of the box's own folder. */
	readonly templates: Readonly<Record<string, TemplateReference>>;
}

/** One mistake of a configuration. */
export interface ConfigurationMistake {
	/** JSON pointer into the document. */
	readonly path: string;
	readonly message: string;
}

/** Most bytes of the canonical document. */
export const MAX_DOCUMENT_BYTES = 512 * 1024;
/** Most bytes of one template. */
export const MAX_TEMPLATE_BYTES = 256 * 1024;

/** The document as plain JSON. */
export function jsonOf(document: ConfigurationDocument): JsonObject {
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an interface has no index signature, the value is JSON all the same
	return document as unknown as JsonObject;
}

/** JSON that the schema has passed, or that was merged of such. */
export function documentOf(json: JsonValue): ConfigurationDocument {
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever calls has checked it
	return json as unknown as ConfigurationDocument;
}

const driverOf = (value: JsonValue | undefined): unknown => (isJsonObject(value) ? value['driver'] : undefined);

/** A line is one thing, and so is a connection whose driver was changed: mixed, they would reach nothing. */
function isWhole(path: readonly string[], values: readonly (JsonValue | undefined)[]): boolean {
	if (path[0] !== 'devices' || path[2] !== 'connection') return path[0] === 'templates' && path.length === 2;
	if (path.length === 3) return new Set(values.map(driverOf)).size > 1;
	return path[3] === 'line';
}

export interface MergeOfConfigurations {
	/** `null`: the gateway runs no revision of the hub, so that nothing is known of what it started from. */
	readonly base: ConfigurationDocument | null;
	readonly gateway: ConfigurationDocument;
	readonly hub: ConfigurationDocument;
	readonly decide: (pointer: string) => Side | null;
}

/** What a gateway makes of a new revision and of what was changed at its own site. */
export function mergeConfigurations({ base, gateway, hub, decide }: MergeOfConfigurations): {
	readonly document: ConfigurationDocument;
	readonly conflicts: readonly Conflict[];
} {
	const { document, conflicts } = mergeThreeWay({
		base: base === null ? {} : jsonOf(base),
		gateway: jsonOf(gateway),
		hub: jsonOf(hub),
		decide,
		isWhole,
	});
	return { document: documentOf(document), conflicts };
}

/** The settings of a document without its devices and templates. */
export const settingsOf = ({ site, journal, history, uplink }: ConfiguredSettings): ConfiguredSettings => ({
	site,
	journal,
	history,
	uplink,
});

/** device_uid of every device that is not the same in both documents, or is in one of them only. */
export function changedDevices(from: ConfigurationDocument, to: ConfigurationDocument): ReadonlySet<string> {
	const [before, after] = [jsonOf(from)['devices'], jsonOf(to)['devices']];
	if (!isJsonObject(before) || !isJsonObject(after)) return new Set();
	const uids = [...new Set([...Object.keys(before), ...Object.keys(after)])];
	return new Set(uids.filter((uid) => !isEqualJson(before[uid], after[uid])));
}

const lineOf = (device: ConfiguredDevice | undefined): string | null => {
	const connection = device?.connection ?? null;
	return connection === null || connection.driver === 'mqtt' ? null : portOf(connection.line);
};

/** device_uid of those that a change may disturb: changed themselves, on a line with one that is, or under a template that is. */
export function touchedDevices(from: ConfigurationDocument, to: ConfigurationDocument): ReadonlySet<string> {
	const changed = changedDevices(from, to);
	const lines = new Set([...changed].flatMap((uid) => [lineOf(from.devices[uid]), lineOf(to.devices[uid])]));
	const isOtherTemplate = (key: string): boolean => from.templates[key]?.sha256 !== to.templates[key]?.sha256;
	return new Set(
		Object.entries(to.devices).flatMap(([uid, device]) => {
			if (device.connection === null) return [];
			const line = lineOf(device);
			const isUnderOther = device.connection.driver !== 'mqtt' && isOtherTemplate(device.connection.template);
			return changed.has(uid) || (line !== null && lines.has(line)) || isUnderOther ? [uid] : [];
		}),
	);
}
