declare module 'leveldown' {
	type Done = (error?: Error | null) => void;

	interface LevelStore {
		open(options: object, done: Done): void;
		close(done: Done): void;
	}

	/** The store factory as PouchDB's `db` option takes it. */
	const leveldown: {
		(location: string): LevelStore;
		/** Saves what can be saved of a store that is not open. */
		repair(location: string, done: Done): void;
	};
	export default leveldown;
}
