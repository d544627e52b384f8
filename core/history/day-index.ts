import { createByteReader } from '../journal/byte-reader.ts';
import { createByteWriter } from '../journal/byte-writer.ts';
import type { DeviceId } from '../kernel/id.ts';
import {
	type ChunkCard,
	type DayShape,
	isSameChunk,
	readCard,
	readGatewayId,
	writeCard,
	writeUuid,
} from './chunk-card.ts';
import { readPacked, writePacked } from './packed-bytes.ts';

/** A chunk and where it stands. */
export interface ChunkEntry extends ChunkCard {
	readonly at: number;
	/** Bytes of frame and head, and of the whole record. */
	readonly headBytes: number;
	readonly bytes: number;
}

/** What a day file holds, without its values. */
export interface DayIndex {
	readonly shape: (id: number) => DayShape | undefined;
	/** The number of a shape; `null` when the day does not know it yet. */
	readonly shapeId: (shape: DayShape) => number | null;
	/** A number that no shape has and no chunk names. */
	readonly nextShape: () => number;
	readonly define: (id: number, shape: DayShape) => void;
	/** `false`: its shape is not known, so nobody can read it. */
	readonly add: (entry: ChunkEntry) => boolean;
	readonly has: (card: ChunkCard) => boolean;
	readonly devices: () => readonly DeviceId[];
	/** Oldest first reading first. The list goes on growing: copy what is needed before anything is awaited. */
	readonly of: (device: DeviceId) => readonly ChunkEntry[];
	/** Chunks, readings and samples. */
	readonly counts: () => { readonly chunks: number; readonly readings: number; readonly samples: number };
	/** The whole index as bytes. */
	readonly encode: () => Buffer;
}

const keyOf = ({ origin, telemetryType, points }: DayShape): string => JSON.stringify([origin, telemetryType, points]);

export function encodeShape(id: number, { origin, telemetryType, points }: DayShape): Buffer {
	const writer = createByteWriter();
	writer.varint(id);
	writeUuid(writer, origin);
	writer.text(telemetryType);
	writer.varint(points.length);
	for (const point of points) writer.text(point);
	const packed = createByteWriter();
	writePacked(packed, writer.bytes());
	return Buffer.from(packed.bytes());
}

export function decodeShape(bytes: Buffer): { readonly id: number; readonly shape: DayShape } {
	const reader = readPacked(createByteReader(bytes));
	const id = reader.varint();
	const origin = readGatewayId(reader);
	const telemetryType = reader.text();
	const points: string[] = [];
	for (let left = reader.count(1); left > 0; left -= 1) points.push(reader.text());
	return { id, shape: { origin, telemetryType, points } };
}

export function createDayIndex(): DayIndex {
	const shapes = new Map<number, DayShape>();
	const ids = new Map<string, number>();
	const devices = new Map<DeviceId, { entries: ChunkEntry[]; isSorted: boolean }>();
	const counts = { chunks: 0, readings: 0, samples: 0 };
	let nextShape = 0;

	function define(id: number, shape: DayShape): void {
		shapes.set(id, shape);
		ids.set(keyOf(shape), id);
		nextShape = Math.max(nextShape, id + 1);
	}

	return {
		shape: (id) => shapes.get(id),
		shapeId: (shape) => ids.get(keyOf(shape)) ?? null,
		nextShape: () => nextShape,
		define,
		add(entry) {
			nextShape = Math.max(nextShape, entry.shape + 1);
			const shape = shapes.get(entry.shape);
			if (shape === undefined) return false;
			const own = devices.get(entry.device);
			if (own === undefined) devices.set(entry.device, { entries: [entry], isSorted: true });
			else {
				own.isSorted &&= (own.entries.at(-1)?.first.readAt ?? 0) <= entry.first.readAt;
				own.entries.push(entry);
			}
			counts.chunks += 1;
			counts.readings += entry.rows;
			counts.samples += entry.rows * shape.points.length;
			return true;
		},
		has: (card) => devices.get(card.device)?.entries.some((entry) => isSameChunk(entry, card)) ?? false,
		devices: () => [...devices.keys()],
		of(device) {
			const own = devices.get(device);
			if (own === undefined) return [];
			if (!own.isSorted) own.entries.sort((one, other) => one.first.readAt - other.first.readAt);
			own.isSorted = true;
			return own.entries;
		},
		counts: () => ({ ...counts }),
		encode() {
			const writer = createByteWriter(64 * 1024);
			writer.varint(shapes.size);
			for (const [id, shape] of shapes) {
				const bytes = encodeShape(id, shape);
				writer.varint(bytes.length);
				writer.raw(bytes);
			}
			writer.varint(counts.chunks);
			for (const { entries } of devices.values()) {
				for (const entry of entries) {
					writeCard(writer, entry);
					writer.varint(entry.at);
					writer.varint(entry.headBytes);
					writer.varint(entry.bytes);
				}
			}
			const packed = createByteWriter();
			writePacked(packed, writer.bytes());
			return Buffer.from(packed.bytes());
		},
	};
}

/** The index that `encode` made. @throws Fault `rule-violation` when the bytes are none */
export function decodeDayIndex(bytes: Buffer): DayIndex {
	const index = createDayIndex();
	const reader = readPacked(createByteReader(bytes));
	for (let left = reader.count(1); left > 0; left -= 1) {
		const { id, shape } = decodeShape(reader.raw(reader.count(1)));
		index.define(id, shape);
	}
	for (let left = reader.count(20); left > 0; left -= 1) {
		const card = readCard(reader);
		index.add({ ...card, at: reader.varint(), headBytes: reader.varint(), bytes: reader.varint() });
	}
	return index;
}
