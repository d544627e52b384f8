import type { Request } from '@hapi/hapi';

/**
 * Ends work that nobody waits for any more: aborted when the caller hangs up before it has its whole answer. For handlers whose work
 * takes seconds, e.g. because it asks a device. A call that comes over the link has no connection of its own to hang up.
 */
export function hangUpOf({ raw: { res } }: Pick<Request, 'raw'>): AbortSignal {
	const control = new AbortController();
	// Told by the answer, not by the request: that one is read to its end long before, and says nothing after it.
	const look = (): void => {
		if (!res.writableFinished) control.abort();
	};
	if (res.destroyed) look();
	else res.once('close', look);
	return control.signal;
}
