import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import type { GatewayRecord } from '../../cloud/fleet/gateway-record.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { DEFAULT_TENANT, newGatewayId, tenantId } from '../../core/kernel/id.ts';
import { answerProof, enrolmentKey, requestProof } from '../../core/link/enrolment.ts';
import { isPair, isSignedBy, requestCertificate } from '../../core/pki/certificate.ts';
import { DAY_MS, enrolmentBox, fingerprintOf, request } from './enrolment-box.ts';

const WRONG = { message: /wrong, used or expired/ };

test('a gateway with the code gets a certificate for its own key, and both sides have proved that they know the code', async (t) => {
	const { service, certificates, authority, place } = await enrolmentBox(t);
	const { code } = await service.openCode();
	const { asked, key, keyPem, proof } = await request(code);

	const { certPem, proof: answered, ...rest } = await service.enrol(asked, proof);

	t.deepEqual(rest, place);
	t.is(answered, answerProof(key, asked.nonce, { ...place, certPem }));
	t.true(isPair({ certPem, keyPem }));
	t.true(isSignedBy(certPem, authority.caPem));
	t.is(certificates.standing(asked.gatewayId, fingerprintOf(certPem)), 'valid');
	t.is(certificates.standing(newGatewayId(), fingerprintOf(certPem)), null);
	t.is(certificates.standing(asked.gatewayId, fingerprintOf(authority.caPem)), null);
});

test('a code is accepted as people type it', async (t) => {
	const { service } = await enrolmentBox(t);
	const { code } = await service.openCode();
	const typed = ` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `;
	const { asked, proof } = await request(typed);
	await t.notThrowsAsync(service.enrol(asked, proof));
});

test('a code works once', async (t) => {
	const { service } = await enrolmentBox(t);
	const { code } = await service.openCode();
	const first = await request(code);
	await service.enrol(first.asked, first.proof);
	const second = await request(code);
	await t.throwsAsync(service.enrol(second.asked, second.proof), WRONG);
});

test('of two gateways that use a code at the same moment one gets in', async (t) => {
	const { service, gateways } = await enrolmentBox(t);
	const { code } = await service.openCode();
	const both = await Promise.all([request(code), request(code)]);
	const outcomes = await Promise.allSettled(both.map(({ asked, proof }) => service.enrol(asked, proof)));
	t.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
	t.is(gateways.records.size, 1);
});

test('the gateway that has used a code may ask again for ten minutes, since the answer may have been lost', async (t) => {
	const { service, certificates, clock } = await enrolmentBox(t);
	const { code } = await service.openCode();
	const { asked, proof } = await request(code);
	const lost = await service.enrol(asked, proof);
	clock.advance(599_999);
	const again = await request(code, asked.gatewayId);
	const { certPem } = await service.enrol(again.asked, again.proof);
	t.is(certificates.standing(asked.gatewayId, fingerprintOf(certPem)), 'valid');
	t.is(certificates.standing(asked.gatewayId, fingerprintOf(lost.certPem)), null, 'the certificate that was lost');
	clock.advance(1);
	await t.throwsAsync(service.enrol(again.asked, again.proof), WRONG);
});

test('a revoked gateway does not come back with the code it has used', async (t) => {
	const { service } = await enrolmentBox(t);
	const { asked, proof } = await request((await service.openCode()).code);
	await service.enrol(asked, proof);
	await service.revoke(asked.gatewayId);
	await t.throwsAsync(service.enrol(asked, proof), WRONG);
});

test('a revocation during an enrolment stands', async (t) => {
	const { service, gateways } = await enrolmentBox(t);
	const { asked, proof } = await request((await service.openCode()).code);
	const stored = { ...gateways };
	let isFirst = true;
	Object.assign(gateways, {
		async change(...given: Parameters<typeof stored.change>) {
			const isRaced = isFirst;
			isFirst = false;
			await stored.change(asked.gatewayId, (current) => current ?? known);
			if (isRaced) await service.revoke(asked.gatewayId);
			return stored.change(...given);
		},
	});
	const known: GatewayRecord = {
		id: asked.gatewayId,
		name: 'roof',
		tenantId: DEFAULT_TENANT,
		certificates: [],
		enrolledAt: epochMs(0),
		revokedAt: epochMs(0),
	};
	await t.throwsAsync(service.enrol(asked, proof), WRONG);
	t.not(gateways.find(asked.gatewayId)?.revokedAt ?? null, null);
});

test('a code expires after a day', async (t) => {
	const { service, clock } = await enrolmentBox(t);
	const { code } = await service.openCode();
	t.true(await service.isOpen(code));
	clock.advance(DAY_MS);
	t.false(await service.isOpen(code));
	const { asked, proof } = await request(code);
	await t.throwsAsync(service.enrol(asked, proof), WRONG);
});

test('codes survive a restart of the hub, and the file of them names none', async (t) => {
	const { folder, service, restart } = await enrolmentBox(t);
	const { code } = await service.openCode();
	const file = join(folder, 'enrolment-codes.json');
	t.is(statSync(file).mode & 0o777, 0o600);
	t.false(readFileSync(file, 'utf8').includes(code.slice(5, 9)));
	const after = await restart();
	t.true(await after.service.isOpen(code));
	const { asked, proof } = await request(code);
	await after.service.enrol(asked, proof);
	const later = await restart();
	t.false(await later.service.isOpen(code));
	const other = await request(code);
	await t.throwsAsync(later.service.enrol(other.asked, other.proof), WRONG);
});

test('whoever changes the request on its way is refused, and the code stays good', async (t) => {
	const { service, gateways } = await enrolmentBox(t);
	const { code } = await service.openCode();
	const { asked, proof } = await request(code);
	const { csrPem } = await requestCertificate(asked.gatewayId);
	for (const changed of [
		{ ...asked, csrPem },
		{ ...asked, gatewayId: newGatewayId() },
		{ ...asked, name: 'other' },
		{ ...asked, nonce: 'another nonce of 16' },
	]) {
		await t.throwsAsync(service.enrol(changed, proof), WRONG);
	}
	t.is(gateways.records.size, 0);
	await t.notThrowsAsync(service.enrol(asked, proof));
});

test('a stranger who knows the name of a code cannot make it void', async (t) => {
	const { service, restart } = await enrolmentBox(t);
	const { code } = await service.openCode();
	const { asked, proof } = await request(code);
	const wrong = { ...asked, name: 'other' };
	for (let attempt = 0; attempt < 50; attempt += 1) await t.throwsAsync(service.enrol(wrong, proof), WRONG);
	const after = await restart();
	t.true(await after.service.isOpen(code));
	await t.notThrowsAsync(after.service.enrol(asked, proof));
});

test('what does not prove possession of a key gets no certificate, and the code stays good', async (t) => {
	const { service, gateways } = await enrolmentBox(t);
	const { code } = await service.openCode();
	const { asked, key, proof } = await request(code);
	const lines = asked.csrPem.trim().split('\n');
	const middle = Math.floor(lines.length / 2);
	const line = lines[middle] ?? '';
	const spoilt = lines.with(middle, (line.startsWith('A') ? 'B' : 'A') + line.slice(1)).join('\n');
	for (const csrPem of [
		'',
		'no request',
		spoilt,
		'-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
	]) {
		const changed = { ...asked, csrPem };
		await t.throwsAsync(service.enrol(changed, requestProof(key, changed)), { message: /^csr: must be a PKCS #10/ });
	}
	t.is(gateways.records.size, 0);
	await t.notThrowsAsync(service.enrol(asked, proof));
});

test('an answer with another authority or another certificate does not carry the proof of the code', async (t) => {
	const { key } = await enrolmentKey('0000-1111-2222-3333-4444');
	const answer = { linkHost: '', linkPort: 8884, caPem: 'the authority', certPem: 'the certificate' };
	t.not(answerProof(key, 'nonce', answer), answerProof(key, 'nonce', { ...answer, caPem: 'mine' }));
	t.not(answerProof(key, 'nonce', answer), answerProof(key, 'nonce', { ...answer, certPem: 'mine' }));
	t.not(answerProof(key, 'nonce', answer), answerProof(key, 'other', answer));
});

test('what is no code is said to be none', async (t) => {
	for (const typed of ['', 'abc', '0000-1111-2222-3333', '0000-1111-2222-3333-444U']) {
		await t.throwsAsync(enrolmentKey(typed), { message: /^code: an enrolment code has 20/ });
	}
});

test('a revoked gateway is cut off and does not get in again; a new code lets it in', async (t) => {
	const { service, certificates, cut } = await enrolmentBox(t);
	const first = await request((await service.openCode()).code);
	const id = first.asked.gatewayId;
	const { certPem: before } = await service.enrol(first.asked, first.proof);
	cut.length = 0;
	await service.revoke(id);
	t.is(certificates.standing(id, fingerprintOf(before)), null);
	t.deepEqual(cut, [id]);

	const again = await request((await service.openCode()).code, id);
	const { certPem } = await service.enrol(again.asked, again.proof);
	t.is(certificates.standing(id, fingerprintOf(certPem)), 'valid');
	t.is(certificates.standing(id, fingerprintOf(before)), null, 'the certificate from before stays shut out');
});

test('a code for anybody does not take over a gateway that is enrolled; one for this gateway does', async (t) => {
	const { service, certificates } = await enrolmentBox(t);
	const first = await request((await service.openCode()).code);
	const id = first.asked.gatewayId;
	const { certPem: before } = await service.enrol(first.asked, first.proof);

	const { code: any } = await service.openCode();
	const thief = await request(any, id);
	await t.throwsAsync(service.enrol(thief.asked, thief.proof), {
		message: /enrolled already; open a code for this very/,
	});
	t.is(certificates.standing(id, fingerprintOf(before)), 'valid');
	t.true(await service.isOpen(any), 'it is still there for a gateway that is new');

	const { code: own } = await service.openCode({ tenantId: DEFAULT_TENANT, onlyFor: id });
	const other = await request(own);
	await t.throwsAsync(service.enrol(other.asked, other.proof), WRONG, 'a code for one gateway is for no other');
	const renewed = await request(own, id);
	const { certPem } = await service.enrol(renewed.asked, renewed.proof);
	t.is(certificates.standing(id, fingerprintOf(certPem)), 'valid');
	t.is(certificates.standing(id, fingerprintOf(before)), null);
});

const OTHER_TENANT = tenantId('7e000000-0000-4000-8000-000000000002');

test('a gateway belongs to the tenant of its code, and no code of another tenant takes it over, revoked or not', async (t) => {
	const { service, gateways } = await enrolmentBox(t);
	const { code } = await service.openCode({ tenantId: OTHER_TENANT, onlyFor: null });
	const first = await request(code);
	const id = first.asked.gatewayId;
	await service.enrol(first.asked, first.proof);
	t.is(gateways.find(id)?.tenantId, OTHER_TENANT);

	const foreign = { message: /belongs to another tenant/ };
	const own = await request((await service.openCode({ tenantId: DEFAULT_TENANT, onlyFor: id })).code, id);
	await t.throwsAsync(service.enrol(own.asked, own.proof), foreign);
	await service.revoke(id);
	const any = await request((await service.openCode()).code, id);
	await t.throwsAsync(service.enrol(any.asked, any.proof), foreign);
	t.is(gateways.find(id)?.tenantId, OTHER_TENANT);

	const again = await request((await service.openCode({ tenantId: OTHER_TENANT, onlyFor: null })).code, id);
	await service.enrol(again.asked, again.proof);
	t.is(gateways.find(id)?.revokedAt, null);
});

test('a revocation takes the codes for the gateway with it', async (t) => {
	const { service } = await enrolmentBox(t);
	const first = await request((await service.openCode()).code);
	await service.enrol(first.asked, first.proof);
	const { code } = await service.openCode({ tenantId: DEFAULT_TENANT, onlyFor: first.asked.gatewayId });
	await service.revoke(first.asked.gatewayId);
	t.false(await service.isOpen(code));
	await t.throwsAsync(service.revoke(newGatewayId()), { message: /does not exist/ });
});
