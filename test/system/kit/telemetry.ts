import { type Rest, member } from './rest.ts';
import { settled } from './wait-for.ts';

/** A record of `GET /devices/{id}/telemetry`. */
export interface TelemetryRecord {
	readonly id: string;
	readonly telemetry_type: string;
	readonly payload: Readonly<Record<string, unknown>>;
	readonly recorded_at: string;
	readonly quality?: Readonly<Record<string, string>>;
}

/** `GET /gateways/{id}/ledger`. */
export interface LedgerView {
	readonly received_samples: number;
	readonly missing_samples: number;
	readonly declared_lost_samples: number;
	readonly received: readonly {
		readonly epoch: number;
		readonly ranges: readonly { readonly first: number; readonly last: number }[];
	}[];
	readonly holes: readonly {
		readonly epoch: number;
		readonly first: number;
		readonly last: number;
		readonly reason: string;
	}[];
}

const PAGE = 200;

/** A JSON answer of status 200. @throws Error with status and body for every other. */
export async function json(rest: Rest, path: string): Promise<unknown> {
	const { status, body } = await rest.get(path);
	if (status !== 200) throw new Error(`GET ${path} at ${rest.url}: ${status} ${JSON.stringify(body)}`);
	return body;
}

/** All records of a device, newest first. */
export async function recordsOf(rest: Rest, device: string): Promise<readonly TelemetryRecord[]> {
	const records: TelemetryRecord[] = [];
	let cursor: string | null = null;
	do {
		const path: string = `/api/v1/devices/${device}/telemetry?limit=${PAGE}`;
		const { status, body, nextCursor } = await rest.get(
			cursor === null ? path : `${path}&cursor=${encodeURIComponent(cursor)}`,
		);
		if (status !== 200) throw new Error(`${path} at ${rest.url}: ${status} ${JSON.stringify(body)}`);
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the contract of this list
		records.push(...(body as readonly TelemetryRecord[]));
		cursor = nextCursor;
	} while (cursor !== null);
	return records;
}

/** `telemetry_type` of the records that say when a device came and went. */
export const STATUS_TYPE = 'status';

/** The newest record with values of the device; undefined when there is none. */
export const newestReading = async (rest: Rest, device: string): Promise<TelemetryRecord | undefined> =>
	(await recordsOf(rest, device)).find(({ telemetry_type: type }) => type !== STATUS_TYPE);

/** The newest record of what became of the device; undefined when there is none. */
export const newestStatus = async (rest: Rest, device: string): Promise<TelemetryRecord | undefined> =>
	(await recordsOf(rest, device)).find(({ telemetry_type: type }) => type === STATUS_TYPE);

/** A point of the latest values of a device; undefined when it has none. */
export async function latestOf(rest: Rest, device: string, point: string): Promise<unknown> {
	return member(member(await json(rest, `/api/v1/devices/${device}/latest`), 'values'), point);
}

/** The state of the link as the gateway sees it, e.g. `state`, `backlog_samples`. */
export const uplinkOf = async (gateway: Rest, name: string): Promise<unknown> =>
	member(await json(gateway, '/api/v1/uplink'), name);

/** What the hub holds of a gateway. */
export async function ledgerOf(hub: Rest, gateway: Rest): Promise<LedgerView> {
	const id = await uplinkOf(gateway, 'gateway_id');
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the contract of this page
	return (await json(hub, `/api/v1/gateways/${String(id)}/ledger`)) as LedgerView;
}

/**
 * The ledger once it lacks nothing and knows of no hole, as it is at last when that does not happen in time. A value may overtake
 * what was read before it: while a gateway reads, there is a hole for a moment now and then.
 */
export const settledLedger = (hub: Rest, gateway: Rest, withinMs: number): Promise<LedgerView> =>
	settled(
		withinMs,
		() => ledgerOf(hub, gateway),
		({ missing_samples: missing, holes }) => missing === 0 && holes.length === 0,
	);

/** Where two lists of records of one device differ: ids that are missing, twice, or carry other content. Empty: nowhere. */
export function differences(held: readonly TelemetryRecord[], wanted: readonly TelemetryRecord[]): readonly string[] {
	const byId = new Map(held.map((record) => [record.id, record]));
	const wrong = byId.size === held.length ? [] : [`${held.length - byId.size} records are there twice`];
	for (const record of wanted) {
		const found = byId.get(record.id);
		if (found === undefined) wrong.push(`${record.id} of ${record.recorded_at} is missing`);
		else if (JSON.stringify(found) !== JSON.stringify(record))
			wrong.push(`${record.id}: ${JSON.stringify(found)} is not ${JSON.stringify(record)}`);
	}
	return wrong;
}

/** What one side holds of a device once that is all of these records; what it holds at last when it does not come to that in time. */
export const heldOf = (
	rest: Rest,
	device: string,
	wanted: readonly TelemetryRecord[],
	withinMs: number,
): Promise<readonly TelemetryRecord[]> =>
	settled(
		withinMs,
		() => recordsOf(rest, device),
		(held) => differences(held, wanted).length === 0,
	);
