import { Fault } from './fault.ts';

/** Lets at most `parallel` tasks run at a time and at most `waiting` more wait, in the order they came. */
export interface Gate {
	/** @throws Fault `unavailable` at once when the queue is full; otherwise settles as the task does. */
	run<T>(task: () => Promise<T>): Promise<T>;
}

/** `what` names the work in the message of a refusal. `parallel: 1` makes a serial queue. */
export function createGate({
	what,
	parallel,
	waiting,
}: {
	readonly what: string;
	readonly parallel: number;
	readonly waiting: number;
}): Gate {
	const queue: (() => void)[] = [];
	let running = 0;

	async function enter(): Promise<void> {
		if (running < parallel) {
			running += 1;
			return;
		}
		if (queue.length >= waiting) throw new Fault('unavailable', `too many ${what} at the same time; try again shortly`);
		// The one who leaves hands over its place, so that `running` stays as it is.
		await new Promise<void>((resolve) => void queue.push(resolve));
	}

	function leave(): void {
		const next = queue.shift();
		if (next === undefined) running -= 1;
		else next();
	}

	return {
		async run(task) {
			await enter();
			try {
				return await task();
			} finally {
				leave();
			}
		},
	};
}
