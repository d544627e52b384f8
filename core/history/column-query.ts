import { epochMs } from '../kernel/clock.ts';
import type { ColumnQuery, PointColumn } from '../telemetry/history-repository.ts';
import { EVENT_TYPES, type Reading } from '../telemetry/reading.ts';
import { type ColumnPart, columnPartsOf, createChunkReader } from './chunk-reader.ts';
import { cut, inOrder, join, type Sequence } from './column-merge.ts';
import type { DayFile } from './day-file.ts';
import { DAY_MS, dayOf } from './day-folder.ts';
import type { ChunkEntry } from './day-index.ts';
import { chunksWithin, extentOf, type SealedQueryDeps } from './range-query.ts';

const CHUNKS_AT_ONCE = 16;
const DEFAULT_LIMIT = 1_000_000;

const wants = ({ telemetryType }: ColumnQuery, type: string): boolean =>
	telemetryType === undefined ? !EVENT_TYPES.has(type) : telemetryType === type;

async function readParts(
	entries: readonly ChunkEntry[],
	read: (entry: ChunkEntry) => Promise<ColumnPart | null>,
): Promise<readonly ColumnPart[]> {
	const parts: ColumnPart[] = [];
	for (let at = 0; at < entries.length; at += CHUNKS_AT_ONCE) {
		const some = await Promise.all(entries.slice(at, at + CHUNKS_AT_ONCE).map(read));
		for (const part of some) if (part !== null) parts.push(part);
	}
	return parts;
}

/** One point's samples, from the sealed days and from readings that are not sealed yet, oldest first and each once. */
export async function queryColumn(
	{ days, noteLoss }: SealedQueryDeps,
	query: ColumnQuery,
	recent: readonly Reading[],
): Promise<PointColumn> {
	const { device, point, from, to, limit = DEFAULT_LIMIT } = query;

	async function partsOf(file: DayFile): Promise<readonly ColumnPart[]> {
		const parts = await file.use(async (index, opened) => {
			const reader = createChunkReader(file.name, index, opened, noteLoss);
			const entries = chunksWithin(index.of(device), from, to).filter((entry) =>
				wants(query, index.shape(entry.shape)?.telemetryType ?? ''),
			);
			return readParts(entries, (entry) => reader.point(entry, point));
		});
		days.touch(file);
		return (parts ?? []).map((part) => cut(part, from, to));
	}

	const fresh = recent.filter(({ telemetryType }) => wants(query, telemetryType));
	const extra = [...columnPartsOf(fresh, point)];
	const dated = new Map<number, DayFile>();
	for (const file of days.all()) {
		const extent = extentOf(file);
		if (file.bytes() === 0 || extent.through < from || extent.from >= to) continue;
		if (file.day === null) extra.push(...(await partsOf(file)));
		else dated.set(file.day, file);
	}
	const extraDays = extra.flatMap(({ times }) => Array.from(times, dayOf));
	const sequence: Sequence[number][] = [];
	let count = 0;
	let until: number = to;
	for (const day of [...new Set([...dated.keys(), ...extraDays])].toSorted((one, other) => one - other)) {
		if (count >= limit) {
			until = day;
			break;
		}
		const file = dated.get(day);
		const sealed = file === undefined ? [] : await partsOf(file);
		const parts = inOrder([...sealed, ...extra.map((part) => cut(part, day, day + DAY_MS))]);
		for (const part of parts) count += part.times.length;
		sequence.push(...parts);
	}
	return { ...join(sequence), until: epochMs(until) };
}
