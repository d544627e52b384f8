import type { RouteOptionsApp } from '@hapi/hapi';
import type { Schema } from 'joi';

declare module '@hapi/hapi' {
	interface RouteOptionsApp {
		/** What the API document says of this route; every route below `/api` has it. */
		readonly api?: RouteDescription;
	}
}

/** What the API document cannot take from the schemas of a route's input. */
export interface RouteDescription {
	/** Unique name of the operation, e.g. `createDevice`; also the action in the audit log. */
	readonly operationId: string;
	/** Group in the document, e.g. `Devices`. */
	readonly tag: string;
	/** One line for a person. */
	readonly summary: string;
	/** Schema of the body of each success status; `null`: no body, or none that is JSON. */
	readonly answers: Readonly<Record<number, Schema | null>>;
	/** Statuses of refusals that neither access nor input imply, e.g. 401 of a login. */
	readonly refusals?: readonly number[];
	/** It answers or changes one document under an ETag: `If-None-Match` of its GET, `If-Match` of its changes. */
	readonly etag?: boolean;
}

/** Route options: the access with what the API document says of the route. */
export const described = <A extends { readonly app: RouteOptionsApp }>(access: A, api: RouteDescription) => ({
	...access,
	app: { ...access.app, api },
});
