/** A file that is open for reading and writing at positions. */
export interface JournalFile {
	/** Bytes from `position` on; fewer than `length` only at the end of the file. */
	read(position: number, length: number): Promise<Buffer>;
	write(position: number, bytes: Buffer): Promise<void>;
	/** What was written is on the medium when this resolves (fdatasync). */
	datasync(): Promise<void>;
	truncate(bytes: number): Promise<void>;
	close(): Promise<void>;
}

/** What the journal asks of a file system. Tests hand in one that loses what was not synced. */
export interface FileLayer {
	/** Makes the folder when it is missing; answers the files in it. */
	list(folder: string): Promise<readonly { readonly name: string; readonly bytes: number }[]>;
	/** Opens an existing file. */
	open(path: string): Promise<JournalFile>;
	/**
	 * Opens an existing file whose writes are on the medium when they resolve: write and flush in one call (O_DSYNC). Of each write only its own bytes
	 * are flushed. In place: a write beyond the end has to flush the file's size as well.
	 */
	openDurable(path: string): Promise<JournalFile>;
	/** Makes an empty file, in the place of an older one of this name. */
	create(path: string): Promise<JournalFile>;
	rename(from: string, to: string): Promise<void>;
	remove(path: string): Promise<void>;
	/** Makes names, new and renamed, durable. */
	syncFolder(folder: string): Promise<void>;
	/** Bytes an unprivileged process may still write. */
	freeBytes(folder: string): Promise<number>;
	/** The whole text of a file; `null` when it cannot be read. */
	readText(path: string): Promise<string | null>;
	/** Replaces a whole file; after a power cut either the old or the new text is there. */
	writeText(path: string, text: string): Promise<void>;
}
