import { type Clock, type EpochMs, epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import {
	answerProof,
	type EnrolmentAnswer,
	enrolmentKey,
	type EnrolmentKey,
	type EnrolmentRequest,
	newEnrolmentCode,
	requestProof,
} from '../../core/link/enrolment.ts';
import { isSameSecret } from '../../core/identity/secret-text.ts';
import type { GatewayRepository } from '../fleet/gateway-record.ts';

/** An enrolment code is good for a day: an installer prepares it in the office and uses it on site. */
const CODE_LIFETIME_MS = 86_400_000;
/** Codes that are open at once. */
const MAX_CODES = 1_000;

/** How long a gateway may ask again with a code it has used: the answer may have been lost on its way. */
const REPEAT_MS = 600_000;

interface OpenCode extends EnrolmentKey {
	readonly expiresAt: EpochMs;
	/** The gateway that has used it. */
	readonly usedBy: GatewayId | null;
}

export interface EnrolmentServiceDeps {
	readonly gateways: GatewayRepository;
	readonly answer: () => EnrolmentAnswer;
	/** A gateway has a new secret or was shut out: its connection ends now. */
	readonly disconnect: (gateway: GatewayId, why: string) => void;
	readonly clock: Clock;
	readonly log: Logger;
}

/**
 * Lets gateways in. Codes live in memory: a restart of the hub makes unused ones void, which costs a click and keeps no secret on
 * disk. A used code is gone.
 */
export function createEnrolmentService({ gateways, answer, disconnect, clock, log }: EnrolmentServiceDeps) {
	const open = new Map<string, OpenCode>();

	function dropExpired(): void {
		for (const [codeId, { expiresAt }] of open) if (expiresAt <= clock.now()) open.delete(codeId);
	}

	/** Opens a code, shown once. `code`: one that was made before (the hub's first one). */
	async function openCode(code = newEnrolmentCode()): Promise<{ readonly code: string; readonly expiresAt: EpochMs }> {
		dropExpired();
		if (open.size >= MAX_CODES)
			throw new Fault('state-conflict', `${MAX_CODES} enrolment codes are open; use them or wait until they expire`);
		const expiresAt = epochMs(clock.now() + CODE_LIFETIME_MS);
		const key = await enrolmentKey(code);
		// The first group names a code; two open ones must not share it.
		if (open.has(key.codeId)) return openCode();
		open.set(key.codeId, { ...key, expiresAt, usedBy: null });
		return { code, expiresAt };
	}

	/** @throws Fault `bad-credentials` alike for an unknown, used, expired or wrong code. */
	async function enrol(
		request: EnrolmentRequest,
		proof: string,
	): Promise<EnrolmentAnswer & { readonly proof: string }> {
		dropExpired();
		const code = open.get(request.codeId);
		const isOthers = code !== undefined && code.usedBy !== null && code.usedBy !== request.gatewayId;
		if (code === undefined || isOthers || !isSameSecret(requestProof(code.key, request), proof)) {
			log.warn('enrolment-refused', { gateway: request.gatewayId });
			throw new Fault('bad-credentials', 'the enrolment code is wrong, used or expired');
		}
		const expiresAt = epochMs(Math.min(code.expiresAt, clock.now() + REPEAT_MS));
		open.set(request.codeId, {
			...code,
			usedBy: request.gatewayId,
			expiresAt: code.usedBy === null ? expiresAt : code.expiresAt,
		});
		await gateways.put({
			id: request.gatewayId,
			name: request.name,
			secretHash: request.secretHash,
			enrolledAt: clock.now(),
			revokedAt: null,
		});
		disconnect(request.gatewayId, 'the gateway was enrolled anew');
		log.info('gateway-enrolled', { gateway: request.gatewayId, name: request.name });
		const given = answer();
		return { ...given, proof: answerProof(code.key, request.nonce, given) };
	}

	/** Shuts a gateway out at once; its devices and history stay. */
	async function revoke(id: GatewayId): Promise<void> {
		const record = gateways.find(id);
		if (record === null) throw new Fault('not-found', `gateway ${id} does not exist`);
		for (const [codeId, { usedBy }] of open) if (usedBy === id) open.delete(codeId);
		await gateways.put({ ...record, revokedAt: clock.now() });
		disconnect(id, 'the gateway was revoked');
		log.info('gateway-revoked', { gateway: id });
	}

	/** The gateway a user name and password on the link belong to; `null`: nobody. */
	function authenticate(id: GatewayId, hashOfSecret: string): GatewayId | null {
		const record = gateways.find(id);
		const isRight = isSameSecret(record?.secretHash ?? '', hashOfSecret);
		return record !== null && isRight && record.revokedAt === null ? id : null;
	}

	return { openCode, enrol, revoke, authenticate };
}

export type EnrolmentService = ReturnType<typeof createEnrolmentService>;
