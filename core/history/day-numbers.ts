import { epochMs } from '../kernel/clock.ts';
import type { DeviceId, GatewayId } from '../kernel/id.ts';
import type { StreamRange } from '../ledger/stream-range.ts';
import { hourOf } from './chunk-card.ts';
import { createChunkReader } from './chunk-reader.ts';
import type { DayFile } from './day-file.ts';
import type { ChunkEntry, DayIndex } from './day-index.ts';
import type { DayContents, HourNumbers } from './device-hour.ts';
import type { NoteLoss } from './history-loss.ts';

/** First and last numbers of the readings of one boot. */
interface Numbers {
	readonly origin: GatewayId;
	readonly epoch: number;
	readonly firsts: number[];
	readonly lasts: number[];
}

/** Ranges of numbers that do not overlap: sorted apart, first and last of each still belong together. */
function joined({ origin, epoch, firsts, lasts }: Numbers): readonly StreamRange[] {
	const [from, to] = [Float64Array.from(firsts).sort(), Float64Array.from(lasts).sort()];
	const ranges: { origin: GatewayId; epoch: number; first: number; last: number }[] = [];
	for (const [index, first] of from.entries()) {
		const last = to[index] ?? first;
		const before = ranges.at(-1);
		if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last);
		else ranges.push({ origin, epoch, first, last });
	}
	return ranges;
}

function byHour(index: DayIndex): ReadonlyMap<number, readonly ChunkEntry[]> {
	const hours = new Map<number, ChunkEntry[]>();
	for (const device of index.devices())
		for (const entry of index.of(device)) {
			const hour = hourOf(entry.first.readAt);
			const entries = hours.get(hour);
			if (entries === undefined) hours.set(hour, [entry]);
			else entries.push(entry);
		}
	return hours;
}

/** What a day file holds, for those who have to know before it goes. What cannot be read is left out. */
export function dayContents(file: DayFile, noteLoss: NoteLoss): DayContents {
	return {
		async devices() {
			return (await file.use((index) => Promise.resolve(index.devices()))) ?? ([] satisfies DeviceId[]);
		},
		async numbers(isWanted) {
			const found: HourNumbers[] = [];
			await file.use(async (index, opened) => {
				const reader = createChunkReader(file.name, index, opened, noteLoss);

				async function addTo(streams: Map<string, Numbers>, entry: ChunkEntry): Promise<void> {
					const shape = index.shape(entry.shape);
					const [point] = shape?.points ?? [];
					if (shape === undefined || point === undefined) return;
					if (!isWanted(shape.origin, Math.max(entry.first.epoch, entry.last.epoch))) return;
					const part = await reader.point(entry, point);
					for (const [row, epoch] of part?.epochs.entries() ?? []) {
						const key = `${shape.origin} ${epoch}`;
						const own = streams.get(key) ?? { origin: shape.origin, epoch, firsts: [], lasts: [] };
						streams.set(key, own);
						const first = part?.seqs[row] ?? 0;
						own.firsts.push(first);
						own.lasts.push(first + shape.points.length - 1);
					}
				}

				for (const [hour, entries] of byHour(index)) {
					const streams = new Map<string, Numbers>();
					for (const entry of entries) await addTo(streams, entry);
					const wanted = [...streams.values()].filter(({ origin, epoch }) => isWanted(origin, epoch));
					if (wanted.length > 0) found.push({ hour: epochMs(hour), ranges: wanted.flatMap(joined) });
				}
			});
			return found;
		},
	};
}
