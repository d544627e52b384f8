import type { Plugin } from '@hapi/hapi';

import type { Clock } from '../kernel/clock.ts';
import { addressKey } from '../kernel/address-key.ts';
import { createRateLimiter } from './rate-limit.ts';
import { stepsOf } from './steps.ts';

export interface RequestLimitOptions {
	/** Requests each address, and each account, may make per second in the long run; twice as many at once. */
	readonly requestsPerSecond: number;
	readonly clock: Clock;
}

/** A page that opens asks for much at once and is quiet afterwards. */
const BURST_SECONDS = 2;

const isApi = (path: string): boolean => path === '/api' || path.startsWith('/api/');

/**
 * The general limit of the API (429 with `Retry-After`): per network address before anything else is looked at, and per account once it
 * is known. Pages, health, metrics and Socket.IO are not counted; calls that come over the link have no address of their own.
 */
export const requestLimit: Plugin<RequestLimitOptions> = {
	name: 'request-limit',
	register(server, { requestsPerSecond, clock }) {
		const limits = { clock, perMinute: requestsPerSecond * 60, burst: requestsPerSecond * BURST_SECONDS };
		const addresses = createRateLimiter(limits);
		const accounts = createRateLimiter(limits);

		const { onRequest, onPostAuth } = stepsOf(server);
		onRequest.push((request) => {
			// Missing in the framework's types.
			const isInjected = Reflect.get(request, 'isInjected') === true;
			if (isApi(request.path) && !isInjected) addresses.take(addressKey(request.info.remoteAddress));
		});
		onPostAuth.push((request) => {
			const userId = request.auth.credentials?.user?.actor.userId;
			if (userId !== undefined && isApi(request.path)) accounts.take(userId);
		});
	},
};
