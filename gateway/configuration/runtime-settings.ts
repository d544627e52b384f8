import type { GatewaySettings } from '../../config/gateway-settings.ts';
import { isEqualJson } from '../../core/configuration/canonical-json.ts';
import type { ConfiguredSettings } from '../../core/configuration/configuration.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import type { InForce } from './configuration-store.ts';

/** What the settings file says of that which a configuration may change. */
export const settingsOfFile = ({ site, journal, history, uplink }: GatewaySettings): ConfiguredSettings => ({
	site: { name: site.name },
	journal: {
		flush_interval_ms: journal.flushIntervalMs,
		min_flush_gap_ms: journal.minFlushGapMs,
		max_bytes: journal.maxBytes,
	},
	history: {
		retention_days: history.retentionDays,
		rollup_days: history.rollupDays,
		max_bytes: history.maxBytes,
	},
	uplink: {
		link_host: uplink.linkHost,
		link_port: uplink.linkPort,
		backfill_bytes_per_second: uplink.backfillBytesPerSecond,
	},
});

/** The settings file with what a configuration says in the place of its own values. */
export function withConfigured(file: GatewaySettings, configured: ConfiguredSettings): GatewaySettings {
	const { site, journal, history, uplink } = configured;
	return {
		...file,
		site: { ...file.site, name: site.name },
		journal: {
			...file.journal,
			flushIntervalMs: journal.flush_interval_ms,
			minFlushGapMs: journal.min_flush_gap_ms,
			// A quota below the size of a segment could hold nothing.
			maxBytes: Math.max(journal.max_bytes, file.journal.segmentBytes + 1),
		},
		history: {
			...file.history,
			retentionDays: history.retention_days,
			rollupDays: history.rollup_days,
			maxBytes: history.max_bytes,
		},
		uplink: {
			...file.uplink,
			linkHost: uplink.link_host,
			linkPort: uplink.link_port,
			backfillBytesPerSecond: uplink.backfill_bytes_per_second,
		},
	};
}

type Section = Readonly<Record<string, JsonValue>>;

const sectionsOf = (settings: ConfiguredSettings): Readonly<Record<string, Section>> => ({ ...settings });

/** Each value of the sections by `section.key`. */
function valuesOf(settings: ConfiguredSettings): ReadonlyMap<string, JsonValue> {
	const values = new Map<string, JsonValue>();
	for (const [section, keys] of Object.entries(sectionsOf(settings)))
		for (const [key, value] of Object.entries(keys)) values.set(`${section}.${key}`, value);
	return values;
}

/**
 * The settings that count: those of the last change of the configuration, unless the file says something else by now than it said then. Who
 * edits the file at the box means it.
 */
export function settingsInForce(file: ConfiguredSettings, inForce: InForce | null): ConfiguredSettings {
	if (inForce === null) return file;
	const now = valuesOf(file);
	const then = valuesOf(inForce.file);
	const settled = Object.entries(sectionsOf(inForce.settings)).map(([section, keys]) => [
		section,
		Object.fromEntries(
			Object.entries(keys).map(([key, value]) => {
				const name = `${section}.${key}`;
				const isEdited = !isEqualJson(now.get(name), then.get(name));
				return [key, isEdited ? (now.get(name) ?? value) : value];
			}),
		),
	]);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same sections and keys
	return Object.fromEntries(settled) as ConfiguredSettings;
}

/** What is asked for whenever it is used; everything else is read once, when the process starts. */
const READ_LIVE: ReadonlySet<string> = new Set(['site.name', 'uplink.link_host', 'uplink.link_port']);

/** Settings that the next start brings into force, as `section.key`. */
export function restartNeeded(atStart: ConfiguredSettings, now: ConfiguredSettings): readonly string[] {
	const then = valuesOf(atStart);
	return [...valuesOf(now)].flatMap(([name, value]) =>
		READ_LIVE.has(name) || isEqualJson(value, then.get(name)) ? [] : [name],
	);
}
