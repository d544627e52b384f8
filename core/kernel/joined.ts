/**
 * Work that costs the same for one caller and for many: one run at a time, and one behind it for everybody who asks meanwhile, so that
 * nobody is told what was true only before the question. Settles as that run does.
 */
export function createJoined<T>(work: () => Promise<T>): () => Promise<T> {
	let running: Promise<T> | null = null;
	let next: Promise<T> | null = null;

	function start(): Promise<T> {
		next = null;
		const run = work().finally(() => {
			if (running === run) running = null;
		});
		running = run;
		return run;
	}

	return () => {
		if (running === null) return start();
		next ??= running.then(start, start);
		return next;
	};
}
