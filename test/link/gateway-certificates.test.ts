import test, { type ExecutionContext } from 'ava';

import { requestCertificate } from '../../core/pki/certificate.ts';
import { DAY_MS, enrolmentBox, fingerprintOf, request } from './enrolment-box.ts';

async function enrolled(t: ExecutionContext) {
	const box = await enrolmentBox(t);
	const { asked, proof } = await request((await box.service.openCode()).code);
	const { certPem } = await box.service.enrol(asked, proof);
	const id = asked.gatewayId;
	const csr = async (): Promise<string> => (await requestCertificate(id)).csrPem;
	return { ...box, id, first: fingerprintOf(certPem), csr };
}

test('a certificate opens everything for a year, then its renewal for thirty days, then nothing', async (t) => {
	const { certificates, clock, id, first } = await enrolled(t);
	clock.advance(364 * DAY_MS);
	t.is(certificates.standing(id, first), 'valid');
	clock.advance(2 * DAY_MS);
	t.is(certificates.standing(id, first), 'expired');
	clock.advance(28 * DAY_MS);
	t.is(certificates.standing(id, first), 'expired');
	clock.advance(2 * DAY_MS);
	t.is(certificates.standing(id, first), null);
});

test('it is renewed when a third of its life is left, and not before', async (t) => {
	const { certificates, clock, id, first, csr } = await enrolled(t);
	clock.advance(243 * DAY_MS);
	t.is(certificates.expiring(id, first), null);
	await t.throwsAsync(certificates.renew(id, first, await csr()), { message: /not to be renewed yet/ });
	clock.advance(DAY_MS);
	t.not(certificates.expiring(id, first), null);
	const next = fingerprintOf(await certificates.renew(id, first, await csr()));
	t.is(certificates.standing(id, next), 'valid');
	t.is(certificates.expiring(id, next), null);
});

test('the present certificate stays good until the next one has been used, which ends it', async (t) => {
	const { certificates, clock, gateways, id, first, csr } = await enrolled(t);
	clock.advance(300 * DAY_MS);
	const next = fingerprintOf(await certificates.renew(id, first, await csr()));
	await certificates.used(id, first);
	t.is(certificates.standing(id, first), 'valid');
	t.is(certificates.standing(id, next), 'valid');
	await certificates.used(id, next);
	t.is(certificates.standing(id, first), null);
	t.is(certificates.standing(id, next), 'valid');
	t.is(gateways.find(id)?.certificates.length, 1);
});

test('a gateway whose power failed during the renewal asks again, and what was lost does not count', async (t) => {
	const { certificates, clock, gateways, id, first, csr } = await enrolled(t);
	clock.advance(300 * DAY_MS);
	const lost = fingerprintOf(await certificates.renew(id, first, await csr()));
	const next = fingerprintOf(await certificates.renew(id, first, await csr()));
	t.is(certificates.standing(id, lost), null);
	t.is(certificates.standing(id, first), 'valid');
	t.is(certificates.standing(id, next), 'valid');
	t.is(gateways.find(id)?.certificates.length, 2);
});

test('one that has expired is renewed within its grace', async (t) => {
	const { certificates, clock, id, first, csr } = await enrolled(t);
	clock.advance(380 * DAY_MS);
	const next = fingerprintOf(await certificates.renew(id, first, await csr()));
	t.is(certificates.standing(id, next), 'valid');
	clock.advance(20 * DAY_MS);
	await t.throwsAsync(certificates.renew(id, first, await csr()), { message: /not to be renewed/ });
});

test('a revocation during a renewal wins', async (t) => {
	const { gateways, certificates, clock, id, first, csr } = await enrolled(t);
	clock.advance(300 * DAY_MS);
	const renewing = certificates.renew(id, first, await csr());
	const now = clock.now();
	const record = gateways.find(id);
	if (record === null) return t.fail('the gateway is enrolled');
	await gateways.change(id, () => ({ ...record, revokedAt: now }));
	await t.throwsAsync(renewing, { message: /is none of gateway/ });
	t.is(certificates.standing(id, first), null);
	await t.throwsAsync(certificates.used(id, first), { message: /is none of gateway/ });
});

test('a gateway that asks for certificates without end is slowed down', async (t) => {
	const { certificates, clock, id, first, csr } = await enrolled(t);
	clock.advance(300 * DAY_MS);
	const csrPem = await csr();
	for (let count = 0; count < 6; count += 1) await certificates.renew(id, first, csrPem);
	await t.throwsAsync(certificates.renew(id, first, csrPem), { message: /too many requests/ });
});
