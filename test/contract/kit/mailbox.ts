/** What has arrived, and who waits for it. */
export interface Mailbox<T> {
	put(message: T): void;
	/** The first message that satisfies, among those that have arrived and those that will. @throws Error when none does in time */
	next(what: string, satisfies: (message: T) => boolean): Promise<T>;
	all(): readonly T[];
}

const ARRIVES_WITHIN_MS = 30_000;

export function createMailbox<T>(): Mailbox<T> {
	const arrived: T[] = [];
	const waiting = new Set<(message: T) => void>();
	return {
		put(message) {
			arrived.push(message);
			for (const look of waiting) look(message);
		},
		all: () => arrived,
		next(what, satisfies) {
			const known = arrived.find(satisfies);
			if (known !== undefined) return Promise.resolve(known);
			return new Promise((resolve, reject) => {
				const timer = setTimeout(() => {
					waiting.delete(look);
					reject(
						new Error(`${what} did not arrive within ${ARRIVES_WITHIN_MS} ms; what did: ${JSON.stringify(arrived)}`),
					);
				}, ARRIVES_WITHIN_MS);
				const look = (message: T): void => {
					if (!satisfies(message)) return;
					clearTimeout(timer);
					waiting.delete(look);
					resolve(message);
				};
				waiting.add(look);
			});
		},
	};
}
