import { type SetTimer, systemTimer } from '../../core/journal/set-timer.ts';
import { brokenOff, getOverHttp, type HttpAnswer, type HttpPlace, isAbsent } from './http-exchange.ts';
import type { FetchBounds, MetadataSource, TargetSource } from './metadata-source.ts';
import { createPaceGuard } from './pace-guard.ts';
import { TrustFault } from './trust-fault.ts';

export interface HttpSourceDeps extends HttpPlace {
	/** For tests that move the time. */
	readonly setTimer?: SetTimer;
}

async function readBounded(name: string, { body }: HttpAnswer, mostBytes: number): Promise<Uint8Array> {
	const tooLarge = new TrustFault('too-large', `${name}: it has more than ${mostBytes} bytes`);
	if (Number(body.headers['content-length'] ?? 0) > mostBytes) {
		body.destroy();
		throw tooLarge;
	}
	const chunks: Uint8Array[] = [];
	let bytes = 0;
	for await (const chunk of body) {
		const part: Uint8Array = chunk;
		bytes += part.length;
		// Leaving the loop closes the connection: nothing more is taken from it.
		if (bytes > mostBytes) throw tooLarge;
		chunks.push(part);
	}
	return Buffer.concat(chunks);
}

/** Metadata of a hub or a mirror. */
export function createHttpMetadataSource({ setTimer = systemTimer, ...place }: HttpSourceDeps): MetadataSource {
	async function get(name: string, mostBytes: number, signal: AbortSignal): Promise<Uint8Array | null> {
		const answer = await getOverHttp(place, name, { signal });
		if (answer.status === 200) return readBounded(name, answer, mostBytes);
		answer.body.destroy();
		if (isAbsent(answer.status)) return null;
		throw new TrustFault('unreachable', `${name}: ${place.baseUrl} answers ${answer.status}`);
	}

	return {
		name: place.baseUrl,
		async file(name, { mostBytes, withinMs, signal }: FetchBounds) {
			const late = new AbortController();
			const fault = new TrustFault('too-slow', `${name}: it has not come within ${withinMs} ms`);
			const cancel = setTimer(() => late.abort(fault), withinMs);
			try {
				return await get(name, mostBytes, AbortSignal.any([signal, late.signal]));
			} catch (error) {
				throw late.signal.aborted ? fault : brokenOff(name, error);
			} finally {
				cancel();
			}
		},
	};
}

/** Where a part begins, by its headers; anything else than what was asked for begins at 0, or is none. */
function startOf(name: string, { status, body }: HttpAnswer, fromByte: number): number {
	if (status === 200) return 0;
	const range = /^bytes (\d+)-/.exec(body.headers['content-range'] ?? '');
	if (status === 206 && Number(range?.[1]) === fromByte) return fromByte;
	body.destroy();
	if (isAbsent(status)) throw new TrustFault('missing', `${name}: it is not there`);
	throw new TrustFault('unreachable', `${name}: the answer is ${status}, and not the part that was asked for`);
}

/** Targets of a hub or a mirror; goes on where it is asked to (RFC 9110, 14.2), if the file is still the same (13.1.5). */
export function createHttpTargetSource({ setTimer = systemTimer, ...place }: HttpSourceDeps): TargetSource {
	return {
		name: place.baseUrl,
		async open(name, { fromByte, sha256, pace, signal }) {
			const slow = new AbortController();
			const guard = createPaceGuard({ pace, setTimer, name, tooSlow: (fault) => slow.abort(fault) });
			const fail = (error: unknown): TrustFault => {
				guard.stop();
				const { reason } = slow.signal;
				return reason instanceof TrustFault ? reason : brokenOff(name, error);
			};
			const headers = fromByte === 0 ? {} : { range: `bytes=${fromByte}-`, 'if-range': `"${sha256}"` };
			try {
				const answer = await getOverHttp(place, name, { headers, signal: AbortSignal.any([signal, slow.signal]) });
				return { fromByte: startOf(name, answer, fromByte), chunks: paced(answer) };
			} catch (error) {
				throw fail(error);
			}

			async function* paced({ body }: HttpAnswer): AsyncGenerator<Uint8Array> {
				try {
					for await (const chunk of body) {
						const part: Uint8Array = chunk;
						guard.came(part.length);
						yield part;
					}
				} catch (error) {
					throw fail(error);
				} finally {
					guard.stop();
				}
			}
		},
	};
}
