import { randomUUID } from 'node:crypto';

import type { Plugin } from '@hapi/hapi';

import { isEncrypted } from './encrypted.ts';
import { isAnswer, stepsOf } from './steps.ts';

declare module '@hapi/hapi' {
	interface RequestApplicationState {
		/** Identity of this request in answers (`X-Request-Id`) and in the log. */
		requestId: string;
	}
}

/** What the pages need and nothing more: own scripts, styles, images and sockets; uPlot sets sizes on elements by script, which CSP allows. */
const POLICY = [
	"default-src 'self'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self' data:",
	"connect-src 'self'",
	"object-src 'none'",
	"base-uri 'none'",
	"form-action 'self'",
	"frame-ancestors 'none'",
].join('; ');

/** On every answer, also on those that are given before the framework sees a request. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
	'content-security-policy': POLICY,
	'x-content-type-options': 'nosniff',
	'x-frame-options': 'DENY',
	'referrer-policy': 'no-referrer',
};

/** An id that a client or proxy chose is kept when it can stand in a log line as it is. */
const REQUEST_ID = /^[\w.-]{8,64}$/;

function requestIdOf(given: unknown): string {
	return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** Headers of every answer. To be registered after `faultResponses`, so that errors carry them too. */
export const answerHeaders: Plugin<void> = {
	name: 'answer-headers',
	register(server) {
		const { onRequest, onPreResponse } = stepsOf(server);
		onRequest.push((request) => {
			request.app.requestId = requestIdOf(request.headers['x-request-id']);
		});
		onPreResponse.push((response, request) => {
			if (!isAnswer(response)) return response;
			const { headers } = response;
			headers['x-request-id'] = request.app.requestId;
			Object.assign(headers, SECURITY_HEADERS);
			// Browsers know it on HTTPS only, and complain about it elsewhere.
			if (isEncrypted(request)) headers['cross-origin-opener-policy'] = 'same-origin';
			// An answer of the API belongs to its caller; a shared computer must not keep it.
			headers['cache-control'] ??= 'no-store';
			return response;
		});
	},
};
