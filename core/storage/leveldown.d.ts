declare module 'leveldown' {
	/** The store factory as PouchDB's `db` option takes it. */
	const leveldown: (location: string) => object;
	export default leveldown;
}
