/** Throws unless a revision is the one that the caller has seen; asked in the turn that writes. */
export type RevisionCheck = (revision: number) => void;
