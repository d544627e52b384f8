import { randomBytes } from 'node:crypto';

import Joi from 'joi';

import { isSameSecret } from '../../core/identity/secret-text.ts';
import { Fault, fieldFault, messageOf } from '../../core/kernel/fault.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import { answerProof, enrolmentKey, requestProof } from '../../core/link/enrolment.ts';
import { requestCertificate } from '../../core/pki/certificate.ts';
import { postJson, type TextAnswer } from './post-json.ts';
import { isUsable } from './own-certificate.ts';
import type { Enrolment } from './uplink-store.ts';

const ANSWER_TIMEOUT_MS = 15_000;
/** A certificate and a few fields; anything longer is no hub. */
const MAX_ANSWER_BYTES = 65_536;

interface WireAnswer {
	readonly link_host: string;
	readonly link_port: number;
	readonly ca_pem: string;
	readonly cert_pem: string;
	readonly proof: string;
}

const answerSchema = Joi.object<WireAnswer>({
	link_host: Joi.string().max(255).allow('').required(),
	link_port: Joi.number().port().required(),
	ca_pem: Joi.string().max(16_384).required(),
	cert_pem: Joi.string().max(16_384).required(),
	proof: Joi.string().max(64).required(),
}).unknown();

async function ask(url: URL, body: object): Promise<unknown> {
	let answer: TextAnswer;
	try {
		answer = await postJson(url, body, { timeoutMs: ANSWER_TIMEOUT_MS, answerBytes: MAX_ANSWER_BYTES });
	} catch (error) {
		throw fieldFault('unreachable', 'hub_url', `${url.origin} does not answer: ${messageOf(error)}`, { cause: error });
	}
	const { status, text } = answer;
	if (status === 401)
		throw fieldFault('bad-credentials', 'code', 'the hub says that the enrolment code is wrong, used or expired');
	if (status === 409)
		throw fieldFault(
			'state-conflict',
			'code',
			'this gateway is enrolled at the hub already; open a code for this very gateway there, or remove it there first',
		);
	if (status < 200 || status > 299)
		throw fieldFault('unreachable', 'hub_url', `${url.origin} answered ${status}; is it a Drawbridge hub?`);
	try {
		return JSON.parse(text) as unknown;
	} catch (error) {
		throw fieldFault('unreachable', 'hub_url', `${url.origin} did not answer as a hub does`, { cause: error });
	}
}

export interface EnrolRequest {
	readonly gatewayId: GatewayId;
	readonly name: string;
	readonly hubUrl: string;
	readonly code: string;
}

/**
 * Enrols this gateway with a hub, once, by a code. The answer counts only when it proves that the hub knows the code too.
 * @throws Fault `rule-violation`, `bad-credentials` or `unreachable`, naming the field
 */
export async function enrolWithHub({ gatewayId, name, hubUrl, code }: EnrolRequest): Promise<Enrolment> {
	if (!URL.canParse(hubUrl) || !/^https?:$/.test(new URL(hubUrl).protocol)) {
		throw fieldFault('rule-violation', 'hub_url', `must be an http or https address, not ${JSON.stringify(hubUrl)}`);
	}
	const { codeId, key } = await enrolmentKey(code);
	const { keyPem, csrPem } = await requestCertificate(gatewayId);
	const request = { codeId, gatewayId, name, csrPem, nonce: randomBytes(18).toString('base64url') };
	const raw = await ask(new URL('/api/v1/enrolment', hubUrl), {
		code_id: codeId,
		gateway_id: gatewayId,
		name,
		csr: csrPem,
		nonce: request.nonce,
		proof: requestProof(key, request),
	});
	const { value, error } = answerSchema.validate(raw);
	if (error !== undefined) throw fieldFault('unreachable', 'hub_url', `the answer is not a hub's: ${error.message}`);
	const answer = {
		linkHost: value.link_host,
		linkPort: value.link_port,
		caPem: value.ca_pem,
		certPem: value.cert_pem,
	};
	if (!isSameSecret(answerProof(key, request.nonce, answer), value.proof)) {
		throw new Fault('bad-credentials', 'the answer does not come from the hub that made this code');
	}
	const own = { certPem: answer.certPem, keyPem };
	if (!isUsable(own, answer.caPem))
		throw new Fault('unreachable', 'the hub has answered with a certificate that is not for the key of this gateway');
	return {
		hubUrl,
		linkHost: answer.linkHost || new URL(hubUrl).hostname.replace(/^\[|\]$/g, ''),
		linkPort: answer.linkPort,
		caPem: answer.caPem,
		own,
		next: null,
	};
}
