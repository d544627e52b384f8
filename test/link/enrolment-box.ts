import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import { openEnrolmentCodes } from '../../cloud/enrolment/enrolment-code-store.ts';
import { createEnrolmentService } from '../../cloud/enrolment/enrolment-service.ts';
import { createGatewayCertificates } from '../../cloud/enrolment/gateway-certificates.ts';
import { type GatewayId, newGatewayId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { type EnrolmentRequest, enrolmentKey, requestProof } from '../../core/link/enrolment.ts';
import { makeAuthority } from '../../core/pki/authority.ts';
import { factsOf, requestCertificate } from '../../core/pki/certificate.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { memoryGateways } from '../fake/memory-gateways.ts';

export const DAY_MS = 86_400_000;

export const fingerprintOf = (certPem: string): string => factsOf(certPem).fingerprint;

/** The part of a hub that lets gateways in. `restart` makes its services anew over what is on the disk. */
export async function enrolmentBox(t: ExecutionContext) {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-enrolment-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	const clock = createManualClock();
	const gateways = memoryGateways();
	const authority = await makeAuthority('test authority');
	const cut: GatewayId[] = [];
	const place = { linkHost: '', linkPort: 8884, caPem: authority.caPem };

	async function restart() {
		const certificates = createGatewayCertificates({ gateways, authority, clock, log: silentLog });
		const service = createEnrolmentService({
			gateways,
			codes: await openEnrolmentCodes(join(folder, 'enrolment-codes.json'), silentLog),
			certificates,
			answer: () => place,
			disconnect: (gateway) => void cut.push(gateway),
			clock,
			log: silentLog,
		});
		return { certificates, service };
	}
	return { folder, clock, gateways, authority, cut, place, restart, ...(await restart()) };
}

/** What a gateway sends that has this code. */
export async function request(code: string, gatewayId: GatewayId = newGatewayId()) {
	const { codeId, key } = await enrolmentKey(code);
	const { keyPem, csrPem } = await requestCertificate(gatewayId);
	const asked: EnrolmentRequest = { codeId, gatewayId, name: 'roof', csrPem, nonce: 'a nonce of 16 chars' };
	return { asked, key, keyPem, proof: requestProof(key, asked) };
}
