import type { Random } from '../kit/random.ts';

/** What a disk writes as a whole; the power may go between two of them. */
const SECTOR_BYTES = 512;

/** A change of a file's bytes that is in the page cache. */
export type Change =
	| { readonly position: number; readonly bytes: Buffer }
	/** Shorter or longer; what is new is zero. */
	| { readonly length: number };

/** Bytes of a file: those on the medium, and what only the page cache has. */
export interface FileContent {
	change(change: Change): void;
	/** How many changes there were; a flush that begins now covers them. */
	changes(): number;
	/** The first so many changes are on the medium. */
	flushed(changes: number): void;
	/** As a program sees it, and as it stays after a death of the process alone. */
	cached(): Buffer;
	/** As the power leaves it: of what was not flushed any part, a write even in part, and later ones without earlier ones. */
	cut(random: Random): Buffer;
}

/** A buffer that grows in place. */
function createBytes(initial: Buffer = Buffer.alloc(0)) {
	let room = Buffer.from(initial);
	let length = initial.length;

	function resize(next: number): void {
		if (next > room.length) {
			const larger = Buffer.alloc(Math.max(next, room.length * 2));
			room.copy(larger, 0, 0, length);
			room = larger;
		}
		if (next < length) room.fill(0, next, length);
		length = next;
	}

	return {
		apply(change: Change): void {
			if ('length' in change) {
				resize(change.length);
				return;
			}
			resize(Math.max(length, change.position + change.bytes.length));
			change.bytes.copy(room, change.position);
		},
		copy: () => Buffer.from(room.subarray(0, length)),
	};
}

/** The pieces of a write, one per sector of the medium. */
function piecesOf({ position, bytes }: Extract<Change, { readonly bytes: Buffer }>) {
	const pieces: { readonly sector: number; readonly position: number; readonly bytes: Buffer }[] = [];
	for (let at = 0; at < bytes.length;) {
		const sector = Math.floor((position + at) / SECTOR_BYTES);
		const end = Math.min(bytes.length, (sector + 1) * SECTOR_BYTES - position);
		pieces.push({ sector, position: position + at, bytes: bytes.subarray(at, end) });
		at = end;
	}
	return pieces;
}

type Bytes = ReturnType<typeof createBytes>;

/** Everything up to some change, and that one as far as some sector. */
function keepBeginning(bytes: Bytes, pending: readonly Change[], random: Random): void {
	const whole = Math.floor(random.below(pending.length + 1));
	for (const change of pending.slice(0, whole)) bytes.apply(change);
	const torn = pending[whole];
	if (torn === undefined || 'length' in torn) return;
	const pieces = piecesOf(torn);
	for (const piece of pieces.slice(0, Math.floor(random.below(pieces.length + 1)))) bytes.apply(piece);
}

/** Each sector for itself, as it was after some change of it: pages are written back in any order. */
function keepSectors(bytes: Bytes, pending: readonly Change[], random: Random): void {
	const left = new Map<number, number>();
	const pieces = pending.flatMap((change) => ('length' in change ? [] : piecesOf(change)));
	for (const { sector } of pieces) left.set(sector, (left.get(sector) ?? 0) + 1);
	for (const [sector, count] of left) left.set(sector, Math.floor(random.below(count + 1)));
	for (const piece of pieces) {
		const more = left.get(piece.sector) ?? 0;
		if (more > 0) bytes.apply(piece);
		left.set(piece.sector, more - 1);
	}
}

export function createFileContent(): FileContent {
	const durable = createBytes();
	let pending: Change[] = [];
	let settled = 0;

	function withPending(keep: (bytes: Bytes) => void): Buffer {
		const bytes = createBytes(durable.copy());
		keep(bytes);
		return bytes.copy();
	}

	return {
		change: (change) => void pending.push(change),
		changes: () => settled + pending.length,
		flushed(changes) {
			const covered = pending.slice(0, Math.max(0, changes - settled));
			for (const change of covered) durable.apply(change);
			pending = pending.slice(covered.length);
			settled += covered.length;
		},
		cached: () =>
			withPending((bytes) => {
				for (const change of pending) bytes.apply(change);
			}),
		cut: (random) =>
			withPending((bytes) => {
				const way = random.below(1);
				if (way < 0.3) return;
				// Lengths and bytes depend on each other: their order is kept.
				if (way < 0.6 || pending.some((change) => 'length' in change)) keepBeginning(bytes, pending, random);
				else keepSectors(bytes, pending, random);
			}),
	};
}
