import type { GatewayId } from '../../core/kernel/id.ts';

export interface BackfillLimits {
	/** Blocks that are being decoded and stored at a time. */
	readonly parallel: number;
	/** Bytes of one gateway's blocks that may wait; with more, its connection waits. Two of the largest blocks. */
	readonly gatewayBytes: number;
	/** Bytes of all blocks that may wait; with more, every connection that brings history waits. */
	readonly allBytes: number;
	/** What a gateway may have stored before it is another one's turn. */
	readonly turnBytes: number;
}

export const BACKFILL_LIMITS: BackfillLimits = {
	parallel: 4,
	gatewayBytes: 4 * 1024 * 1024,
	allBytes: 64 * 1024 * 1024,
	turnBytes: 64 * 1024,
};

export interface BackfillTurnsDeps {
	/** Stores a block; never rejects. */
	readonly store: (gateway: GatewayId, block: Buffer) => Promise<unknown>;
	readonly limits?: BackfillLimits;
}

interface Queue {
	blocks: Buffer[];
	bytes: number;
	/** Bytes that it may still have stored in this turn. */
	credit: number;
	/** Those who wait for room of this gateway. */
	waiting: (() => void)[];
}

/**
 * History of many gateways, fairly: they take turns by bytes (deficit round robin), so that one with much does not keep the others waiting. A block is
 * taken over at once and acknowledged when it is stored; live values come past it. What waits is bounded per gateway and in all.
 */
export function createBackfillTurns({ store, limits = BACKFILL_LIMITS }: BackfillTurnsDeps) {
	/** In the order of their turns. */
	const queues = new Map<GatewayId, Queue>();
	let allBytes = 0;
	let running = 0;
	let isPumping = false;
	let isStopped = false;
	let waitingForAll: (() => void)[] = [];
	let idle: (() => void)[] = [];

	function release(queue: Queue): void {
		if (queue.bytes <= limits.gatewayBytes) for (const go of queue.waiting.splice(0)) go();
		if (allBytes <= limits.allBytes) for (const go of waitingForAll.splice(0)) go();
	}

	/** The next block by turns; `null`: none waits. */
	function next(): { readonly gateway: GatewayId; readonly queue: Queue; readonly block: Buffer } | null {
		for (;;) {
			const [first] = queues;
			if (first === undefined) return null;
			const [gateway, queue] = first;
			const [block] = queue.blocks;
			if (block === undefined) {
				queues.delete(gateway);
				continue;
			}
			if (queue.credit >= block.length) {
				queue.blocks.shift();
				queue.credit -= block.length;
				return { gateway, queue, block };
			}
			// To the end of the row, with more to spend next time.
			queue.credit += limits.turnBytes;
			queues.delete(gateway);
			queues.set(gateway, queue);
		}
	}

	async function run(gateway: GatewayId, queue: Queue, block: Buffer): Promise<void> {
		running += 1;
		await store(gateway, block);
		running -= 1;
		queue.bytes -= block.length;
		allBytes -= block.length;
		release(queue);
		pump();
	}

	/** One block per turn of the event loop: decoding takes milliseconds, and live values are not to wait for several. */
	function pump(): void {
		if (isPumping) return;
		isPumping = true;
		setImmediate(() => {
			isPumping = false;
			if (running >= limits.parallel) return;
			const turn = isStopped ? null : next();
			if (turn !== null) {
				void run(turn.gateway, turn.queue, turn.block);
				pump();
			} else if (running === 0) for (const done of idle.splice(0)) done();
		});
	}

	return {
		/** Takes a block over; resolves when its gateway may bring more. */
		async offer(gateway: GatewayId, block: Buffer): Promise<void> {
			if (isStopped) return;
			let queue = queues.get(gateway);
			if (queue === undefined) queues.set(gateway, (queue = { blocks: [], bytes: 0, credit: 0, waiting: [] }));
			queue.blocks.push(block);
			queue.bytes += block.length;
			allBytes += block.length;
			pump();
			const { waiting } = queue;
			if (queue.bytes > limits.gatewayBytes) await new Promise<void>((resolve) => void waiting.push(resolve));
			if (allBytes > limits.allBytes) await new Promise<void>((resolve) => void waitingForAll.push(resolve));
		},
		waitingBytes: (): number => allBytes,
		waitingGateways: (): readonly GatewayId[] => [...queues.keys()],
		/** Stores what it has begun and takes no more. */
		async stop(): Promise<void> {
			isStopped = true;
			for (const { waiting } of queues.values()) for (const go of waiting.splice(0)) go();
			for (const go of waitingForAll.splice(0)) go();
			queues.clear();
			if (running > 0) await new Promise<void>((resolve) => void idle.push(resolve));
		},
	};
}
