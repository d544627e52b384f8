/** The dialect-free form of every page style: how many to leave out, how many to take. */
export interface Window {
	readonly skip: number;
	readonly limit: number;
}

/** A window of a list, with the length of the whole list. */
export interface Page<T> {
	readonly items: readonly T[];
	readonly total: number;
}
