import test from 'ava';

import { newGatewayId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { parseLinkMessage } from '../../core/link/link-messages.ts';
import { issueClient, makeAuthority } from '../../core/pki/authority.ts';
import { isPair, requestCertificate } from '../../core/pki/certificate.ts';
import { createCertificateRenewal, credentialsOf } from '../../gateway/uplink/certificate-renewal.ts';
import type { Enrolment } from '../../gateway/uplink/uplink-store.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { DAY_MS } from './enrolment-box.ts';

const SOON_MS = 30_000;

/** A gateway that has just been enrolled; `reboot` forgets everything but the disk. */
async function gateway() {
	const id = newGatewayId();
	const clock = createManualClock();
	const authority = await makeAuthority('hub');
	const sign = (csrPem: string): Promise<string> =>
		issueClient(authority, { commonName: id, csrPem, now: clock.now(), days: 365 });
	const { csrPem, keyPem } = await requestCertificate(id);
	const own = { certPem: await sign(csrPem), keyPem };
	let disk: Enrolment = { hubUrl: '', linkHost: '', linkPort: 1, caPem: authority.caPem, own, next: null };
	const requests: string[] = [];
	const renewals: string[] = [];
	const reboot = () =>
		createCertificateRenewal({
			store: {
				gatewayId: () => id,
				enrolment: () => disk,
				changeCertificates: async (change) => void (disk = { ...disk, ...change(disk) }),
			},
			link: () => ({
				publish: async (_kind, payload) => void requests.push(parseLinkMessage('renew', payload).csrPem),
				renew: (why) => void renewals.push(why),
			}),
			clock,
			log: silentLog,
		});
	const asked = (count: number): Promise<boolean> => waitFor('a request', SOON_MS, () => requests.length === count);
	return { clock, sign, own, requests, renewals, asked, reboot, disk: () => disk };
}

test('it asks when a third of the life is left, once, and keeps both certificates until the new one has been used', async (t) => {
	const { clock, sign, own, requests, renewals, asked, reboot, disk } = await gateway();
	const renewal = reboot();
	clock.advance(243 * DAY_MS);
	renewal.check();
	clock.advance(DAY_MS);
	renewal.check();
	renewal.check();
	renewal.ask();
	await asked(1);
	renewal.take(await sign(requests[0] ?? ''));
	await waitFor('the next one', SOON_MS, () => disk().next !== null);
	const { next } = disk();
	if (next === null) return t.fail('there is a next one');
	t.true(isPair(next));
	t.not(next.keyPem, own.keyPem);
	t.deepEqual(credentialsOf(disk()), [next, own]);
	await waitFor('another connection', SOON_MS, () => renewals.length === 1);

	// Power may fail here: both are on the disk.
	const after = reboot();
	after.came(next);
	await waitFor('its use', SOON_MS, () => disk().next === null);
	t.is(disk().own, next);
	after.check();
	t.is(requests.length, 1);
});

test('a gateway whose power fails before the answer asks again, with another key', async (t) => {
	const { clock, sign, own, requests, asked, reboot, disk } = await gateway();
	clock.advance(300 * DAY_MS);
	reboot().check();
	await asked(1);
	const late = await sign(requests[0] ?? '');
	const renewal = reboot();
	renewal.take(late);
	t.deepEqual(credentialsOf(disk()), [own], 'nobody knows the key of an answer from before');
	renewal.check();
	await asked(2);
	t.not(requests[0], requests[1]);
	renewal.take(late);
	t.deepEqual(credentialsOf(disk()), [own], 'an answer to another request counts for nothing');
});

test('a hub that does not answer is asked again after a minute, or on the next connection', async (t) => {
	const { clock, asked, requests, reboot } = await gateway();
	clock.advance(300 * DAY_MS);
	const renewal = reboot();
	renewal.check();
	await asked(1);
	clock.advance(59_999);
	renewal.check();
	t.is(requests.length, 1);
	clock.advance(1);
	renewal.check();
	await asked(2);
	renewal.forget();
	renewal.check();
	await asked(3);
	t.pass();
});

test('a hub that was restored from a backup does not know the next certificate: the present one goes on', async (t) => {
	const { clock, sign, own, requests, asked, reboot, disk } = await gateway();
	clock.advance(300 * DAY_MS);
	const renewal = reboot();
	renewal.check();
	await asked(1);
	renewal.take(await sign(requests[0] ?? ''));
	await waitFor('the next one', SOON_MS, () => disk().next !== null);
	renewal.came(own);
	await waitFor('it is void', SOON_MS, () => disk().next === null);
	t.is(disk().own, own);
	renewal.check();
	await asked(2);
});
