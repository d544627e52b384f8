import type { ByteReader } from '../journal/byte-reader.ts';
import type { ByteWriter } from '../journal/byte-writer.ts';
import { type DeviceId, deviceId, type GatewayId, gatewayId } from '../kernel/id.ts';

export const HOUR_MS = 3_600_000;

export const hourOf = (ms: number): number => Math.floor(ms / HOUR_MS) * HOUR_MS;

/** What the readings of a chunk have in common and a day says once. */
export interface DayShape {
	readonly origin: GatewayId;
	readonly telemetryType: string;
	readonly points: readonly string[];
}

/** The first or last reading of a chunk. */
export interface RowIdentity {
	/** Instant, ms. */
	readonly readAt: number;
	readonly epoch: number;
	readonly firstSeq: number;
}

/** What is known of a chunk without decoding it: readings of one device, one hour and one shape, oldest first. */
export interface ChunkCard {
	readonly device: DeviceId;
	/** Number of the shape within its day. */
	readonly shape: number;
	readonly rows: number;
	readonly first: RowIdentity;
	readonly last: RowIdentity;
	/** Bytes of what all points share, at the start of the body; 0 when the body is one block. */
	readonly frontBytes: number;
}

const UUID_BYTES = 16;
/** 128 bits as 32 hexadecimal digits, with dashes after these. */
const DASHES = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

export const writeUuid = (writer: ByteWriter, id: DeviceId | GatewayId): void =>
	writer.raw(Buffer.from(id.replaceAll('-', ''), 'hex'));

const readUuid = (reader: ByteReader): string =>
	reader.raw(UUID_BYTES).toString('hex').replace(DASHES, '$1-$2-$3-$4-$5');

export const readGatewayId = (reader: ByteReader): GatewayId => gatewayId(readUuid(reader));

function writeIdentity(writer: ByteWriter, { epoch, firstSeq }: RowIdentity): void {
	writer.varint(epoch);
	writer.varint(firstSeq);
}

export function writeCard(writer: ByteWriter, card: ChunkCard): void {
	writeUuid(writer, card.device);
	writer.varint(card.shape);
	writer.varint(card.rows);
	writer.varint(card.frontBytes);
	const hour = hourOf(card.first.readAt);
	writer.signed(hour / HOUR_MS);
	writer.varint(card.first.readAt - hour);
	writer.varint(card.last.readAt - hour);
	writeIdentity(writer, card.first);
	writeIdentity(writer, card.last);
}

export function readCard(reader: ByteReader): ChunkCard {
	const device = deviceId(readUuid(reader));
	const shape = reader.varint();
	const rows = reader.varint();
	const frontBytes = reader.varint();
	const hour = reader.signed() * HOUR_MS;
	const firstAt = hour + reader.varint();
	const lastAt = hour + reader.varint();
	const first = { readAt: firstAt, epoch: reader.varint(), firstSeq: reader.varint() };
	const last = { readAt: lastAt, epoch: reader.varint(), firstSeq: reader.varint() };
	return { device, shape, rows, frontBytes, first, last };
}

const isSameRow = (one: RowIdentity, other: RowIdentity): boolean =>
	one.readAt === other.readAt && one.epoch === other.epoch && one.firstSeq === other.firstSeq;

/** Whether two chunks of one device hold the same readings: sealing the same segment again makes the same chunks. */
export const isSameChunk = (one: ChunkCard, other: ChunkCard): boolean =>
	one.shape === other.shape &&
	one.rows === other.rows &&
	isSameRow(one.first, other.first) &&
	isSameRow(one.last, other.last);
