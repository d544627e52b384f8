import { isSameSecret } from '../../core/identity/secret-text.ts';
import { type Clock, type EpochMs, epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { DEFAULT_TENANT, type GatewayId, type TenantId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import {
	answerProof,
	type EnrolmentAnswer,
	enrolmentKey,
	type EnrolmentRequest,
	newEnrolmentCode,
	requestProof,
} from '../../core/link/enrolment.ts';
import { type GatewayRecord, type GatewayRepository, isLetIn } from '../fleet/gateway-record.ts';
import type { EnrolmentCodes, OpenCode } from './enrolment-code-store.ts';
import type { GatewayCertificates } from './gateway-certificates.ts';

/** An enrolment code is good for a day: an installer prepares it in the office and uses it on site. */
const CODE_LIFETIME_MS = 86_400_000;
/** Codes that are open at once. */
const MAX_CODES = 1_000;

/** How long a gateway may ask again with a code it has used: the answer may have been lost on its way. */
const REPEAT_MS = 600_000;

export interface EnrolmentServiceDeps {
	readonly gateways: GatewayRepository;
	readonly codes: EnrolmentCodes;
	readonly certificates: Pick<GatewayCertificates, 'issue'>;
	/** Where the link is, and who signs for it. */
	readonly answer: () => Omit<EnrolmentAnswer, 'certPem'>;
	/** A gateway has a new certificate or was shut out: its connection ends now. */
	readonly disconnect: (gateway: GatewayId, why: string) => void;
	readonly clock: Clock;
	readonly log: Logger;
}

export interface NewCode {
	/** Shown once; the hub keeps what is derived from it. */
	readonly code: string;
	readonly expiresAt: EpochMs;
}

/** Whose gateway a code makes, and which one. */
export interface CodeFor {
	readonly tenantId: TenantId;
	/** The one gateway that may use it, even though it is enrolled; `null`: any that is not. */
	readonly onlyFor: GatewayId | null;
}

const ANY_GATEWAY: CodeFor = { tenantId: DEFAULT_TENANT, onlyFor: null };

/**
 * A code for any gateway lets in those that are new or revoked; one that is enrolled needs a code of its own, or to repeat its last one. None
 * takes a gateway from one tenant to another: its devices and their history would go with it.
 */
function refuseTakeover(record: GatewayRecord | null, code: OpenCode, id: GatewayId): void {
	if (record !== null && record.tenantId !== code.tenantId)
		throw new Fault(
			'state-conflict',
			`gateway ${id} belongs to another tenant; reset it, so that it gets a new identity`,
		);
	if (record === null || !isLetIn(record) || code.onlyFor === id || code.usedBy === id) return;
	throw new Fault(
		'state-conflict',
		`gateway ${id} is enrolled already; open a code for this very gateway at the hub, or remove it there first`,
	);
}

/** Lets gateways in. A used code is gone. */
export function createEnrolmentService(deps: EnrolmentServiceDeps) {
	const { gateways, codes, certificates, answer, disconnect, clock, log } = deps;

	const dropExpired = (): Promise<void> =>
		codes.remove(codes.all().flatMap(({ codeId, expiresAt }) => (expiresAt <= clock.now() ? [codeId] : [])));

	/** Opens a code, shown once. */
	async function openCode(wanted: CodeFor = ANY_GATEWAY): Promise<NewCode> {
		await dropExpired();
		if (codes.all().length >= MAX_CODES)
			throw new Fault('state-conflict', `${MAX_CODES} enrolment codes are open; use them or wait until they expire`);
		const code = newEnrolmentCode();
		const expiresAt = epochMs(clock.now() + CODE_LIFETIME_MS);
		const key = await enrolmentKey(code);
		// The first group names a code; two open ones must not share it.
		if (codes.find(key.codeId) !== null) return openCode(wanted);
		await codes.put({ ...key, expiresAt, ...wanted, usedBy: null });
		return { code, expiresAt };
	}

	/** Whether a code can still be used for the first time. */
	async function isOpen(code: string): Promise<boolean> {
		const { codeId, key } = await enrolmentKey(code);
		const open = codes.find(codeId);
		return (
			open !== null &&
			open.usedBy === null &&
			open.expiresAt > clock.now() &&
			Buffer.from(open.key).equals(Buffer.from(key))
		);
	}

	/**
	 * The code of a request that knows it. Wrong tries do a code no harm: nobody guesses its 80 bits, while its name is short enough that
	 * whoever could burn codes by wrong tries would burn all of them.
	 * @throws Fault `bad-credentials` alike for an unknown, used, expired or wrong code
	 */
	function provenCode(request: EnrolmentRequest, proof: string): OpenCode {
		const code = codes.find(request.codeId);
		const isProven = code !== null && isSameSecret(requestProof(code.key, request), proof);
		const user = code?.usedBy ?? code?.onlyFor ?? null;
		if (code !== null && isProven && (user === null || user === request.gatewayId)) return code;
		log.warn('enrolment-refused', { gateway: request.gatewayId });
		throw new Fault('bad-credentials', 'the enrolment code is wrong, used or expired');
	}

	/** From here on the code is this gateway's, and for a moment only. */
	async function useUp(code: OpenCode, by: GatewayId): Promise<void> {
		if (code.usedBy !== null) return;
		const expiresAt = epochMs(Math.min(code.expiresAt, clock.now() + REPEAT_MS));
		await codes.put({ ...code, usedBy: by, expiresAt });
	}

	/**
	 * Gives a gateway its certificate; what it had before is over.
	 * @throws Fault `bad-credentials` alike for an unknown, used, expired or wrong code; `state-conflict` for a gateway that is enrolled when
	 * the code is not for it; `rule-violation` naming `csr`
	 */
	async function enrol(
		request: EnrolmentRequest,
		proof: string,
	): Promise<EnrolmentAnswer & { readonly proof: string }> {
		await dropExpired();
		const id = request.gatewayId;
		const code = provenCode(request, proof);
		refuseTakeover(gateways.find(id), code, id);
		const { certPem, ...facts } = await certificates.issue(id, request.csrPem);
		// Signing took its time: another gateway may have used the code meanwhile, and one of a gateway that was revoked is gone.
		const present = codes.find(code.codeId);
		if (present === null || (present.usedBy ?? id) !== id)
			throw new Fault('bad-credentials', 'the enrolment code is wrong, used or expired');
		// The code first: when power fails in between, the gateway asks again with it.
		await useUp(present, id);
		await gateways.change(id, (current) => {
			// A revocation takes the codes first, so one that came meanwhile stands.
			if (codes.find(present.codeId) === null)
				throw new Fault('bad-credentials', 'the enrolment code is wrong, used or expired');
			refuseTakeover(current, present, id);
			const { tenantId } = present;
			return { id, name: request.name, tenantId, certificates: [facts], enrolledAt: clock.now(), revokedAt: null };
		});
		disconnect(id, 'the gateway was enrolled anew');
		log.info('gateway-enrolled', { gateway: id, name: request.name, serial: facts.serial });
		const given = { ...answer(), certPem };
		return { ...given, proof: answerProof(code.key, request.nonce, given) };
	}

	/** Shuts a gateway out at once; its devices and history stay. @throws Fault `not-found` */
	async function revoke(id: GatewayId): Promise<void> {
		await codes.remove(
			codes.all().flatMap(({ codeId, usedBy, onlyFor }) => (usedBy === id || onlyFor === id ? [codeId] : [])),
		);
		await gateways.change(id, (current) => {
			if (current === null) throw new Fault('not-found', `gateway ${id} does not exist`);
			return { ...current, certificates: [], revokedAt: clock.now() };
		});
		disconnect(id, 'the gateway was revoked');
		log.info('gateway-revoked', { gateway: id });
	}

	return { openCode, isOpen, enrol, revoke };
}

export type EnrolmentService = ReturnType<typeof createEnrolmentService>;
