import { isBoom } from '@hapi/boom';
import type { Request, ResponseObject, ResponseToolkit, Server } from '@hapi/hapi';

/** Looks at a request; what it throws becomes the answer. */
export type RequestStep = (request: Request) => void;

/** An answer on its way out: the framework's own, or what was thrown. */
export type Outgoing = Request['response'];

/** Takes the answer as the steps before it left it; gives back the same one or another. */
export type ResponseStep = (response: Outgoing, request: Request, h: ResponseToolkit) => Outgoing;

/** What every request goes through, whatever its route; in the order in which it was added. */
export interface Steps {
	/** Before routing: the request line and the headers are there. */
	readonly onRequest: RequestStep[];
	/** The body is parsed, and it is known who asks; nothing is validated yet. */
	readonly onPostAuth: RequestStep[];
	readonly onPreResponse: ResponseStep[];
}

declare module '@hapi/hapi' {
	interface ServerApplicationState {
		steps?: Steps;
	}
}

/**
 * The steps of a server. They share one extension of the framework for each point, because each extension costs every request a turn of
 * promises, and ours never wait.
 */
export function stepsOf(server: Server): Steps {
	const known = server.app.steps;
	if (known !== undefined) return known;
	const steps: Steps = { onRequest: [], onPostAuth: [], onPreResponse: [] };
	server.app.steps = steps;
	for (const point of ['onRequest', 'onPostAuth'] as const)
		server.ext(point, (request, h) => {
			for (const step of steps[point]) step(request);
			return h.continue;
		});
	server.ext('onPreResponse', (request, h) => {
		const { response } = request;
		let outgoing = response;
		for (const step of steps.onPreResponse) outgoing = step(outgoing, request, h);
		return outgoing === response ? h.continue : outgoing;
	});
	return steps;
}

/** True for an answer that can carry headers; false for what was thrown. */
export const isAnswer = (outgoing: Outgoing): outgoing is ResponseObject => !isBoom(outgoing);
