import { deflateRawSync, inflateRawSync } from 'node:zlib';

import { byteView } from '../journal/byte-view.ts';
import { createByteReader, malformed } from '../journal/byte-reader.ts';
import { createByteWriter } from '../journal/byte-writer.ts';
import { type DeviceId, deviceId } from '../kernel/id.ts';
import type { Rollup } from './rollup.ts';
import { decodePoint, encodePoint, type PointRollups } from './rollup-codec.ts';
import { LEVEL_FACTS, type RollupLevel } from './rollup-level.ts';

const VERSION = 1;
const PLAIN = 0;
const DEFLATED = 1;
const MAX_RAW_BYTES = 16 * 1024 * 1024;
const UUID_BYTES = 16;

/** Which rollups of one device: the slots of one record. */
export interface GroupKey {
	readonly device: DeviceId;
	/** First instant of the group, ms since the Unix epoch. */
	readonly group: number;
}

/** A record states all there is of some slots of a group; later records of the same slots take their place. */
export interface RollupRecord extends GroupKey {
	/** Earlier records of the group count no more. */
	readonly isWhole: boolean;
	/** Indices of the slots it states, ascending. */
	readonly slots: readonly number[];
	/** Of each point one entry for each of `slots`. */
	readonly points: ReadonlyMap<string, PointRollups>;
}

export interface RecordKey extends GroupKey {
	readonly isWhole: boolean;
}

export const uuidBytes = (id: DeviceId): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex');

export function uuidText(bytes: Buffer): DeviceId {
	const hex = bytes.toString('hex');
	return deviceId([hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-'));
}

const startsOf = (level: RollupLevel, group: number, slots: readonly number[]): readonly number[] =>
	slots.map((index) => LEVEL_FACTS[level].slotStart(group, index));

/** Minutes are read by the hour and many: worth the time of deflating. Of the others single points are read. */
const isDeflated = (level: RollupLevel): boolean => level === 'minute';

function encodePoints(level: RollupLevel, { group, slots, points }: RollupRecord): Buffer {
	const starts = startsOf(level, group, slots);
	const writer = createByteWriter();
	writer.varint(points.size);
	const sections: Buffer[] = [];
	for (const [point, { isCounter, slots: rollups }] of points) {
		const section = encodePoint(rollups, starts);
		sections.push(section);
		writer.text(point);
		writer.varint(section.length * 2 + (isCounter ? 1 : 0));
	}
	return Buffer.concat([writer.bytes(), ...sections].map(byteView));
}

export function encodeRecord(level: RollupLevel, record: RollupRecord): Buffer {
	const writer = createByteWriter(64);
	writer.u8(VERSION);
	writer.raw(uuidBytes(record.device));
	writer.f64(record.group);
	writer.u8(record.isWhole ? 1 : 0);
	writer.u8(record.slots.length);
	writer.raw(record.slots);
	writer.u8(isDeflated(level) ? DEFLATED : PLAIN);
	const head = Buffer.from(writer.bytes());
	const points = encodePoints(level, record);
	return Buffer.concat([head, isDeflated(level) ? deflateRawSync(byteView(points)) : points].map(byteView));
}

function readHead(body: Buffer) {
	const reader = createByteReader(body);
	const version = reader.u8();
	if (version !== VERSION) throw malformed(`rollups of version ${version}`);
	const device = uuidText(reader.raw(UUID_BYTES));
	const group = reader.f64();
	const isWhole = reader.u8() === 1;
	const slots = [...reader.raw(reader.u8())];
	return { reader, device, group, isWhole, slots };
}

/** What a record is about. @throws Fault `rule-violation` for bytes that are none */
export function decodeKey(body: Buffer): RecordKey {
	const { device, group, isWhole } = readHead(body);
	return { device, group, isWhole };
}

/**
 * @param wanted points to decode; `null`: all
 * @throws Fault `rule-violation` for bytes that are no record
 */
export function decodeRecord(level: RollupLevel, body: Buffer, wanted: ReadonlySet<string> | null): RollupRecord {
	const { reader, device, group, isWhole, slots } = readHead(body);
	const kind = reader.u8();
	const rest = reader.raw(reader.remaining());
	const raw = kind === DEFLATED ? inflateRawSync(byteView(rest), { maxOutputLength: MAX_RAW_BYTES }) : rest;
	const starts = startsOf(level, group, slots);
	const directory = createByteReader(raw);
	const entries = Array.from({ length: directory.count(2) }, () => {
		const point = directory.text();
		const size = directory.varint();
		return { point, isCounter: size % 2 === 1, bytes: Math.floor(size / 2) };
	});
	const points = new Map<string, PointRollups>();
	for (const { point, isCounter, bytes } of entries) {
		const section = directory.raw(bytes);
		if (wanted === null || wanted.has(point)) points.set(point, { isCounter, slots: decodePoint(section, starts) });
	}
	return { device, group, isWhole, slots, points };
}

/** What is known of a group. */
export interface GroupRollups {
	/** Whether anything is known of each slot; a known slot may be empty. */
	readonly known: readonly boolean[];
	readonly points: ReadonlyMap<string, PointRollups>;
}

/** Records of one group put over each other, oldest first. */
export function overlaid(records: readonly RollupRecord[], slotCount: number): GroupRollups {
	const known = Array.from({ length: slotCount }, () => false);
	const points = new Map<string, { readonly isCounter: boolean; readonly slots: (Rollup | null)[] }>();
	for (const record of records) {
		for (const slot of record.slots) {
			known[slot] = true;
			for (const { slots } of points.values()) slots[slot] = null;
		}
		for (const [point, { isCounter, slots }] of record.points) {
			const all = points.get(point)?.slots ?? Array.from({ length: slotCount }, () => null);
			points.set(point, { isCounter, slots: all });
			for (const [index, slot] of record.slots.entries()) all[slot] = slots[index] ?? null;
		}
	}
	return { known, points };
}

const isThere = ({ slots }: PointRollups): boolean => slots.some((slot) => slot !== null);

/** One record in the place of several of the same group and a newer one. */
export function wholeOf(older: readonly RollupRecord[], newest: RollupRecord, slotCount: number): RollupRecord {
	const { known, points } = overlaid([...older, newest], slotCount);
	const slots = known.flatMap((isKnown, slot) => (isKnown ? [slot] : []));
	const kept = [...points].map(([point, { isCounter, slots: all }]): readonly [string, PointRollups] => [
		point,
		{ isCounter, slots: slots.map((slot) => all[slot] ?? null) },
	]);
	return { ...newest, isWhole: true, slots, points: new Map(kept.filter(([, entry]) => isThere(entry))) };
}
