import { createHeap } from './heap.ts';

/** Whose turn it is, or for how long it is nobody's. */
export type Turn = { readonly id: string } | { readonly waitMs: number };

/**
 * Which device of a line is asked next. Of the devices that are due the one goes first that has had the least time of the line
 * (start-time fair queueing), so that a device with a huge map, or a slow one, only takes what the others leave; of those that had
 * equally much, the one that is due for longest. Each step takes O(log n). Pure; instants are monotonic, ms.
 */
export interface PollSchedule {
	add(id: string, dueMs: number): void;
	remove(id: string): void;
	/** The device named has its turn: it is not named again before `again` or `due`. */
	next(nowMs: number): Turn;
	/** There is more to ask of it in this round. */
	again(id: string): void;
	/** It is not to be asked before `atMs`. */
	due(id: string, atMs: number): void;
	/** Takes back a longer wait: it is due at `atMs` at the latest. */
	advance(id: string, atMs: number): void;
	/** A turn of it took so much time of the line. */
	spent(id: string, ms: number): void;
}

interface Entry {
	readonly id: string;
	/** Breaks ties in the order in which devices were added. */
	readonly order: number;
	dueMs: number;
	/** Time of the line it has had, in the time of the queue: devices that were idle start at what the busy ones have reached. */
	hadMs: number;
	/** What a turn of it takes, as the last ones did; charged when the turn begins and put right at its end. */
	usualMs: number;
	state: 'waiting' | 'ready' | 'asked';
}

const byDue = (left: Entry, right: Entry): boolean =>
	left.dueMs < right.dueMs || (left.dueMs === right.dueMs && left.order < right.order);
const byShare = (left: Entry, right: Entry): boolean =>
	left.hadMs < right.hadMs || (left.hadMs === right.hadMs && byDue(left, right));

export function createPollSchedule(): PollSchedule {
	const entries = new Map<string, Entry>();
	const waiting = createHeap(byDue);
	const ready = createHeap(byShare);
	/** Where the queue has got to. */
	let reachedMs = 0;
	let added = 0;

	function wait(entry: Entry, dueMs: number): void {
		ready.remove(entry);
		entry.dueMs = dueMs;
		entry.state = 'waiting';
		waiting.put(entry);
	}

	function makeReady(entry: Entry): void {
		waiting.remove(entry);
		entry.state = 'ready';
		ready.put(entry);
	}

	return {
		add(id, dueMs) {
			const entry: Entry = { id, order: added, dueMs, hadMs: reachedMs, usualMs: 0, state: 'waiting' };
			added += 1;
			entries.set(id, entry);
			waiting.put(entry);
		},
		remove(id) {
			const entry = entries.get(id);
			if (entry === undefined) return;
			entries.delete(id);
			waiting.remove(entry);
			ready.remove(entry);
		},
		next(nowMs) {
			for (let entry = waiting.first; entry !== undefined && entry.dueMs <= nowMs; entry = waiting.first) {
				entry.hadMs = Math.max(entry.hadMs, reachedMs);
				makeReady(entry);
			}
			const entry = ready.first;
			if (entry === undefined) {
				return { waitMs: waiting.first === undefined ? Number.POSITIVE_INFINITY : waiting.first.dueMs - nowMs };
			}
			ready.remove(entry);
			entry.state = 'asked';
			reachedMs = Math.max(reachedMs, entry.hadMs);
			entry.hadMs += entry.usualMs;
			return { id: entry.id };
		},
		again(id) {
			const entry = entries.get(id);
			if (entry !== undefined && entry.state !== 'ready') makeReady(entry);
		},
		due(id, atMs) {
			const entry = entries.get(id);
			if (entry !== undefined) wait(entry, atMs);
		},
		advance(id, atMs) {
			const entry = entries.get(id);
			if (entry?.state === 'waiting' && entry.dueMs > atMs) wait(entry, atMs);
		},
		spent(id, ms) {
			const entry = entries.get(id);
			if (entry === undefined) return;
			ready.remove(entry);
			entry.hadMs += ms - entry.usualMs;
			entry.usualMs += (ms - entry.usualMs) / 4;
			if (entry.state === 'ready') ready.put(entry);
		},
	};
}
