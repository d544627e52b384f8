import { randomUUID } from 'node:crypto';

import type { Actor } from '../../core/identity/role.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import { type AnswerMessage, type CallMessage, callMessage, parseAnswer } from '../../core/link/call-messages.ts';
import type { HubLinkFeature, HubSend } from '../../core/link/link-feature.ts';
import type { SetTimer } from '../../core/journal/set-timer.ts';

/** Calls of one gateway that are under way; and of all. */
const MOST_PER_GATEWAY = 16;
const MOST_CALLS = 1_000;

export interface RemoteCallsDeps {
	readonly send: HubSend;
	readonly setTimer: SetTimer;
}

interface Waiting {
	readonly gateway: GatewayId;
	readonly settle: (answer: AnswerMessage) => void;
	readonly cancel: () => void;
}

/** Requests to the REST of gateways, each with its answer or its time-out. */
export function createRemoteCalls({ send, setTimer }: RemoteCallsDeps) {
	const waiting = new Map<string, Waiting>();

	function assertRoom(gateway: GatewayId): void {
		let own = 0;
		for (const one of waiting.values()) own += one.gateway === gateway ? 1 : 0;
		if (own >= MOST_PER_GATEWAY || waiting.size >= MOST_CALLS)
			throw new Fault('unavailable', `too many calls of gateway ${gateway} are under way; try again shortly`);
	}

	/**
	 * @throws Fault `unreachable` when the gateway is not there, `timeout` when it does not answer in time - it may have carried the call out
	 * all the same -, `unavailable` when too many are under way
	 */
	async function call(
		gateway: GatewayId,
		request: Omit<CallMessage, 'call_id' | 'actor'>,
		{ userId, email, role, permissions }: Actor,
		timeoutMs: number,
	): Promise<AnswerMessage> {
		assertRoom(gateway);
		const call_id = randomUUID();
		const actor = { user_id: userId, email, role, permissions: [...permissions] };
		const answered = new Promise<AnswerMessage>((resolve, reject) => {
			const late = (): void => reject(new Fault('timeout', `gateway ${gateway} has not answered for ${timeoutMs} ms`));
			waiting.set(call_id, { gateway, settle: resolve, cancel: setTimer(late, timeoutMs) });
		});
		try {
			if (!send(gateway, 'call', callMessage({ ...request, call_id, actor })))
				throw new Fault('unreachable', `gateway ${gateway} is not connected`);
			return await answered;
		} finally {
			waiting.get(call_id)?.cancel();
			waiting.delete(call_id);
		}
	}

	const feature: HubLinkFeature = {
		hears: {
			async answer(gateway, payload) {
				const answer = parseAnswer(payload);
				const asked = waiting.get(answer.call_id);
				// Too late, or not asked of this one.
				if (asked?.gateway === gateway) asked.settle(answer);
			},
		},
		begin: () => undefined,
	};

	return { call, feature };
}

export type RemoteCalls = ReturnType<typeof createRemoteCalls>;
