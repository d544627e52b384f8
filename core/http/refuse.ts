import { Boom } from '@hapi/boom';

/** A refusal of the request as such, before any feature sees it: its status and a sentence for the client. */
export class Refusal extends Boom {
	readonly detail: string;

	constructor(status: number, detail: string) {
		super(detail, { statusCode: status });
		this.detail = detail;
	}
}
