import type { Server } from '@hapi/hapi';

import { TOKEN_STRATEGY } from '../../core/http/access.ts';
import type { Actor } from '../../core/identity/role.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import { createGate } from '../../core/kernel/gate.ts';
import { DEFAULT_TENANT } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import {
	ANSWER_HEADERS,
	answerMessage,
	type AnswerMessage,
	type CallMessage,
	headersThat,
	MOST_ANSWER_BYTES,
	parseCall,
} from '../../core/link/call-messages.ts';
import type { UplinkFeature, UplinkSend } from '../../core/link/link-feature.ts';

/** Calls that are carried out at a time, and that wait. */
const AT_ONCE = 4;
const MOST_WAITING = 32;
/** Calls that are remembered, so that one that arrives twice is carried out once. */
const MOST_REMEMBERED = 1_024;

/** What nobody calls through the link, and why. A rule without a method is for all. */
const NOT_FROM_AFAR: readonly { readonly method?: string; readonly path: RegExp; readonly why: string }[] = [
	{ path: /^\/api\/v1\/(?:auth|setup)(?:\/|$)/, why: 'a login is of the box itself' },
	{ path: /^\/api\/v1\/users(?:\/|$)/, why: 'accounts are of the box itself' },
	{ path: /^\/api\/v1\/uplink\/enrol$/, why: 'it would end the link by which it comes' },
	{ method: 'DELETE', path: /^\/api\/v1\/uplink$/, why: 'it would end the link by which it comes' },
	{ path: /^\/api\/v1\/(?:audit\/export|uplink\/bundle)$/, why: 'its answer has no bounds' },
];

export interface RemoteCallsDeps {
	/** This gateway's REST; `null` while it is not there yet. */
	readonly server: () => Server | null;
	/** False: whoever runs this gateway wants none. */
	readonly isAllowed: boolean;
	readonly log: Logger;
}

/** The person as a caller of this box, which has one tenant. */
const actorOf = ({ actor: { user_id: userId, email, role, permissions } }: CallMessage): Actor => ({
	userId,
	email,
	role,
	tenantId: DEFAULT_TENANT,
	permissions: new Set(permissions),
	isFromHub: true,
});

const told = (call_id: string, status: number, detail: string): AnswerMessage => ({
	call_id,
	status,
	headers: { 'content-type': 'application/json; charset=utf-8' },
	body: Buffer.from(JSON.stringify({ success: false, detail, error_code: 'UPSTREAM_ERROR' })).toString('base64'),
});

/** Why a path cannot be called from afar; `null`: it can. The server decodes a path before it looks for the route, and so does this. */
function refusalOf({ method, path }: CallMessage): string | null {
	let bare: string;
	try {
		bare = decodeURIComponent(new URL(path, 'http://localhost').pathname).replace(/(.)\/+$/, '$1');
	} catch {
		return 'the path is no path';
	}
	if (!bare.startsWith('/api/')) return 'only paths below /api/ can be called through the hub';
	const rule = NOT_FROM_AFAR.find((one) => (one.method ?? method) === method && one.path.test(bare));
	return rule === undefined ? null : `this cannot be called through the hub: ${rule.why}`;
}

/**
 * The hub calls this gateway's REST for its people. A call goes the same way as one of the local network - permissions, validation, audit -
 * with the person's permissions at the hub; it has no other rights, and is carried out at most once.
 */
export function createRemoteCalls({ server, isAllowed, log }: RemoteCallsDeps): UplinkFeature {
	const turns = createGate({ what: 'calls through the hub', parallel: AT_ONCE, waiting: MOST_WAITING });
	const remembered = new Set<string>();
	let send: UplinkSend | null = null;
	/** Answers to calls that came before this side might speak. */
	let held: AnswerMessage[] = [];

	function isNew(id: string): boolean {
		if (remembered.has(id)) return false;
		remembered.add(id);
		if (remembered.size > MOST_REMEMBERED) for (const oldest of [...remembered].slice(0, 1)) remembered.delete(oldest);
		return true;
	}

	async function carryOut(call: CallMessage): Promise<AnswerMessage> {
		const { call_id, method, path, headers, body } = call;
		const refusal = isAllowed ? refusalOf(call) : 'calls through the hub are switched off (uplink.remote_calls)';
		if (refusal !== null) return told(call_id, 403, refusal);
		const rest = server();
		if (rest === null) return told(call_id, 503, 'the gateway is starting');
		const response = await rest.inject({
			method,
			url: path,
			headers: { ...headers },
			// Where a caller of the local network has an address.
			remoteAddress: 'hub',
			auth: { strategy: TOKEN_STRATEGY, credentials: { user: { actor: actorOf(call) } } },
			...(body !== null && body !== '' && { payload: Buffer.from(body, 'base64') }),
		});
		if (response.rawPayload.length > MOST_ANSWER_BYTES)
			return told(call_id, 502, `the answer is longer than ${MOST_ANSWER_BYTES} bytes; ask for less`);
		return {
			call_id,
			status: response.statusCode,
			headers: headersThat(ANSWER_HEADERS, response.headers),
			body: response.rawPayload.toString('base64'),
		};
	}

	async function answer(call: CallMessage): Promise<void> {
		let result: AnswerMessage;
		try {
			result = await turns.run(() => carryOut(call));
		} catch (error) {
			const isBusy = error instanceof Fault && error.reason === 'unavailable';
			if (!isBusy) log.error('remote-call-failed', { call: call.call_id, reason: messageOf(error) });
			result = told(call.call_id, isBusy ? 503 : 500, isBusy ? messageOf(error) : 'an unexpected error occurred');
		}
		if (send === null) held = [...held.slice(1 - MOST_WAITING), result];
		else await tell(send, result);
	}

	/** Whoever asked has a time-out: an answer that finds no link is not kept. */
	async function tell(sender: UplinkSend, result: AnswerMessage): Promise<void> {
		await sender('answer', answerMessage(result)).catch((error: unknown) =>
			log.debug('remote-answer-lost', { call: result.call_id, reason: messageOf(error) }),
		);
	}

	return {
		hears: {
			call(payload) {
				const call = parseCall(payload);
				if (!isNew(call.call_id)) return;
				log.info('remote-call', { call: call.call_id, method: call.method, email: call.actor.email });
				void answer(call);
			},
		},
		async begin(sender, signal) {
			send = sender;
			signal.addEventListener('abort', () => {
				if (send === sender) send = null;
				held = [];
			});
			for (const result of held.splice(0)) await tell(sender, result);
		},
	};
}
