import { createHmac, scrypt } from 'node:crypto';
import { promisify } from 'node:util';

import { normalCode, randomCode } from '../kernel/code.ts';
import { fieldFault } from '../kernel/fault.ts';
import type { GatewayId } from '../kernel/id.ts';

/**
 * Enrolment over a line that nobody protects. Both sides know the enrolment code (100 bits: 20 name it, 80 are the secret). The gateway makes
 * its key pair itself and asks for a certificate of it; request and answer each carry a keyed digest under the code, so that nobody in
 * between can slip in his own key, or hand out his own certificate authority. Nothing on the way is a secret.
 */

/** First group names the code; the other four are its secret. */
const CODE_GROUPS = 5;

const CODE_FORM = /^[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){4}$/;

/**
 * The name in the hub's link certificate. A gateway checks this one and not the address it dials: the authority it pins signs for one hub
 * only, and a hub is reached by names and addresses that it does not know itself (port forwarding, DNS, a new lease).
 */
export const LINK_SERVER_NAME = 'link.drawbridge.internal';

export const newEnrolmentCode = (): string => randomCode(CODE_GROUPS);

/** The public name of a code and the key both sides derive from it. */
export interface EnrolmentKey {
	readonly codeId: string;
	readonly key: Uint8Array<ArrayBuffer>;
}

const scryptAsync = promisify<string, string, number, Buffer>(scrypt);

/** Whether a text has the form of an enrolment code. */
export const isEnrolmentCode = (text: string): boolean => CODE_FORM.test(normalCode(text));

/** @throws Fault `rule-violation` when the text is no enrolment code. */
export async function enrolmentKey(code: string): Promise<EnrolmentKey> {
	const normal = normalCode(code);
	if (!isEnrolmentCode(code)) {
		throw fieldFault('rule-violation', 'code', 'an enrolment code has 20 letters and digits in five groups of four');
	}
	const codeId = normal.slice(0, 4);
	return { codeId, key: Uint8Array.from(await scryptAsync(normal.slice(5), `drawbridge enrolment ${codeId}`, 32)) };
}

export interface EnrolmentRequest {
	readonly codeId: string;
	readonly gatewayId: GatewayId;
	readonly name: string;
	/** Request for a certificate of the gateway's own key, PKCS #10 in PEM. */
	readonly csrPem: string;
	readonly nonce: string;
}

export interface EnrolmentAnswer {
	/** Host of the link broker; empty: the host of the hub's URL. */
	readonly linkHost: string;
	readonly linkPort: number;
	/** Certificate authority of the link: signs the broker's certificate and those of the gateways. */
	readonly caPem: string;
	/** The gateway's certificate. */
	readonly certPem: string;
}

function digest(key: Uint8Array<ArrayBuffer>, parts: readonly (string | number)[]): string {
	const mac = createHmac('sha256', key);
	// Length before each part: no two lists of parts give the same bytes.
	for (const part of parts) mac.update(`${Buffer.byteLength(String(part))}:${part};`);
	return mac.digest('base64url');
}

export const requestProof = (key: Uint8Array<ArrayBuffer>, request: EnrolmentRequest): string =>
	digest(key, ['request', request.codeId, request.gatewayId, request.name, request.csrPem, request.nonce]);

export const answerProof = (key: Uint8Array<ArrayBuffer>, nonce: string, answer: EnrolmentAnswer): string =>
	digest(key, ['answer', nonce, answer.linkHost, answer.linkPort, answer.caPem, answer.certPem]);
