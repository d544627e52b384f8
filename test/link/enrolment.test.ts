import test from 'ava';

import { createEnrolmentService } from '../../cloud/enrolment/enrolment-service.ts';
import type { GatewayRecord } from '../../cloud/fleet/gateway-record.ts';
import { secretHash } from '../../core/identity/secret-text.ts';
import { newGatewayId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { answerProof, enrolmentKey, requestProof } from '../../core/link/enrolment.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const ANSWER = { linkHost: '', linkPort: 8884, caPem: 'the authority' };

function hub() {
	const clock = createManualClock();
	const records = new Map<string, GatewayRecord>();
	const cut: string[] = [];
	const service = createEnrolmentService({
		gateways: {
			find: (id) => records.get(id) ?? null,
			all: () => [...records.values()],
			put: async (record) => void records.set(record.id, record),
		},
		answer: () => ANSWER,
		disconnect: (gateway) => cut.push(gateway),
		clock,
		log: silentLog,
	});
	return { clock, records, cut, service };
}

async function request(code: string, secret = 'a secret of the gateway') {
	const { codeId, key } = await enrolmentKey(code);
	const asked = {
		codeId,
		gatewayId: newGatewayId(),
		name: 'roof',
		secretHash: secretHash(secret),
		nonce: 'a nonce of 16 chars',
	};
	return { asked, key, proof: requestProof(key, asked) };
}

test('a gateway with the code is let in, and both sides have proved that they know it', async (t) => {
	const { service } = hub();
	const { code } = await service.openCode();
	const { asked, key, proof } = await request(code);

	const answer = await service.enrol(asked, proof);

	t.is(answer.proof, answerProof(key, asked.nonce, ANSWER));
	t.is(service.authenticate(asked.gatewayId, secretHash('a secret of the gateway')), asked.gatewayId);
	t.is(service.authenticate(asked.gatewayId, secretHash('another secret')), null);
});

test('a code is accepted as people type it', async (t) => {
	const { service } = hub();
	const { code } = await service.openCode();
	const typed = ` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `;
	const { asked, proof } = await request(typed);
	await t.notThrowsAsync(service.enrol(asked, proof));
});

test('a code works once', async (t) => {
	const { service } = hub();
	const { code } = await service.openCode();
	const first = await request(code);
	await service.enrol(first.asked, first.proof);
	const second = await request(code);
	await t.throwsAsync(service.enrol(second.asked, second.proof), { message: /wrong, used or expired/ });
});

test('the gateway that has used a code may ask again for ten minutes, since the answer may have been lost', async (t) => {
	const { service, clock } = hub();
	const { code } = await service.openCode();
	const { asked, key, proof } = await request(code);
	await service.enrol(asked, proof);
	clock.advance(599_999);
	const again = { ...asked, secretHash: secretHash('another secret') };
	await service.enrol(again, requestProof(key, again));
	t.is(service.authenticate(asked.gatewayId, secretHash('another secret')), asked.gatewayId);
	clock.advance(1);
	await t.throwsAsync(service.enrol(again, requestProof(key, again)), { message: /wrong, used or expired/ });
});

test('a revoked gateway does not come back with the code it has used', async (t) => {
	const { service } = hub();
	const { asked, proof } = await request((await service.openCode()).code);
	await service.enrol(asked, proof);
	await service.revoke(asked.gatewayId);
	await t.throwsAsync(service.enrol(asked, proof), { message: /wrong, used or expired/ });
});

test('a code expires after a day', async (t) => {
	const { service, clock } = hub();
	const { code } = await service.openCode();
	clock.advance(86_400_000);
	const { asked, proof } = await request(code);
	await t.throwsAsync(service.enrol(asked, proof), { message: /wrong, used or expired/ });
});

test('whoever changes the request on its way is refused, and the code stays good', async (t) => {
	const { service, records } = hub();
	const { code } = await service.openCode();
	const { asked, proof } = await request(code);
	for (const changed of [
		{ ...asked, secretHash: secretHash('mine') },
		{ ...asked, gatewayId: newGatewayId() },
		{ ...asked, name: 'other' },
		{ ...asked, nonce: 'another nonce of 16' },
	]) {
		await t.throwsAsync(service.enrol(changed, proof), { message: /wrong, used or expired/ });
	}
	t.is(records.size, 0);
	await t.notThrowsAsync(service.enrol(asked, proof));
});

test('an answer with another authority does not carry the proof of the code', async (t) => {
	const { key } = await enrolmentKey('0000-1111-2222-3333-4444');
	t.not(answerProof(key, 'nonce', ANSWER), answerProof(key, 'nonce', { ...ANSWER, caPem: 'mine' }));
	t.not(answerProof(key, 'nonce', ANSWER), answerProof(key, 'other', ANSWER));
});

test('what is no code is said to be none', async (t) => {
	for (const typed of ['', 'abc', '0000-1111-2222-3333', '0000-1111-2222-3333-444U']) {
		await t.throwsAsync(enrolmentKey(typed), { message: /^code: an enrolment code has 20/ });
	}
});

test('a revoked gateway is cut off and does not get in again; a new code lets it in', async (t) => {
	const { service, cut } = hub();
	const first = await request((await service.openCode()).code);
	await service.enrol(first.asked, first.proof);
	await service.revoke(first.asked.gatewayId);
	t.is(service.authenticate(first.asked.gatewayId, first.asked.secretHash), null);
	t.true(cut.includes(first.asked.gatewayId));

	const again = await request((await service.openCode()).code);
	const asked = { ...again.asked, gatewayId: first.asked.gatewayId };
	await service.enrol(asked, requestProof(again.key, asked));
	t.is(service.authenticate(asked.gatewayId, asked.secretHash), asked.gatewayId);
});
