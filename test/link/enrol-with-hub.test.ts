import { createServer, type RequestListener } from 'node:http';

import test, { type ExecutionContext } from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { newGatewayId } from '../../core/kernel/id.ts';
import { answerProof, enrolmentKey } from '../../core/link/enrolment.ts';
import { type Authority, issueClient, makeAuthority } from '../../core/pki/authority.ts';
import { isPair, requestCertificate } from '../../core/pki/certificate.ts';
import { enrolWithHub } from '../../gateway/uplink/enrol.ts';
import { listenOnLoopback } from '../../gateway/simulator/listen.ts';

const CODE = '0000-1111-2222-3333-4444';

/** Base address of a server that lives as long as the test. */
async function served(t: ExecutionContext, listener: RequestListener): Promise<string> {
	const server = createServer(listener);
	const port = await listenOnLoopback(server, 0);
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${port}`;
}

const enrolAt = (hubUrl: string) => enrolWithHub({ gatewayId: newGatewayId(), name: 'roof', hubUrl, code: CODE });

/** A hub that knows the code, and gives this certificate for the request of the gateway. */
async function knowing(
	t: ExecutionContext,
	caPem: string,
	certify: (csrPem: string) => Promise<string>,
): Promise<string> {
	const { key } = await enrolmentKey(CODE);
	return served(t, (request, response) => {
		const answer = async (text: string): Promise<void> => {
			t.is(request.url, '/api/v1/enrolment');
			t.false(text.includes('PRIVATE KEY'));
			// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the gateway has just sent
			const { nonce, csr } = JSON.parse(text) as { nonce: string; csr: string };
			const certPem = await certify(csr);
			const proof = answerProof(key, nonce, { linkHost: '', linkPort: 8884, caPem, certPem });
			const body = { link_host: '', link_port: 8884, ca_pem: caPem, cert_pem: certPem, proof };
			response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(body));
		};
		const pieces: Buffer[] = [];
		request.on('data', (piece: Buffer) => pieces.push(piece));
		request.on('end', () => void answer(Buffer.concat(pieces).toString()));
	});
}

const clientOf = (authority: Authority, csrPem: string): Promise<string> =>
	issueClient(authority, { commonName: 'gateway', csrPem, now: systemClock.now(), days: 1 });

test('a gateway takes what a hub answers that knows the code', async (t) => {
	const authority = await makeAuthority('test');
	const url = await knowing(t, authority.caPem, (csrPem) => clientOf(authority, csrPem));
	const enrolment = await enrolAt(url);
	t.like(enrolment, { hubUrl: url, linkHost: '127.0.0.1', linkPort: 8884, caPem: authority.caPem, next: null });
	t.true(isPair(enrolment.own));
});

test('a certificate for another key, or of another authority, enrols nobody', async (t) => {
	const authority = await makeAuthority('test');
	const other = await makeAuthority('test');
	const { csrPem: foreign } = await requestCertificate('gateway');
	const message = /not for the key of this gateway/;
	await t.throwsAsync(enrolAt(await knowing(t, authority.caPem, () => clientOf(authority, foreign))), { message });
	await t.throwsAsync(enrolAt(await knowing(t, authority.caPem, (csrPem) => clientOf(other, csrPem))), { message });
	await t.throwsAsync(enrolAt(await knowing(t, authority.caPem, async () => 'no certificate')), { message });
});

const refusals: Readonly<Record<string, { readonly answer: RequestListener; readonly message: RegExp }>> = {
	'another authority in the answer': {
		answer: (_request, response) =>
			response.end(JSON.stringify({ link_host: '', link_port: 8884, ca_pem: 'mine', cert_pem: 'mine', proof: 'none' })),
		message: /does not come from the hub that made this code/,
	},
	'a code that the hub does not know': {
		answer: (_request, response) => response.writeHead(401).end('{}'),
		message: /wrong, used or expired/,
	},
	'a hub where this gateway is enrolled already': {
		answer: (_request, response) => response.writeHead(409).end('{}'),
		message: /open a code for this very gateway there/,
	},
	'a redirect': {
		answer: (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
		message: /answered 302; is it a Drawbridge hub/,
	},
	'a page': {
		answer: (_request, response) => response.end('<html>'),
		message: /did not answer as a hub does/,
	},
	'an answer without end': {
		answer: (_request, response) => {
			const timer = setInterval(() => response.write('x'.repeat(65_536)), 1);
			response.once('close', () => clearInterval(timer));
		},
		message: /longer than 65536 bytes/,
	},
	'a connection that is closed': {
		answer: (request) => request.destroy(),
		message: /does not answer: socket hang up/,
	},
};

for (const [what, { answer, message }] of Object.entries(refusals)) {
	test(`${what} enrols nobody and is said`, async (t) => {
		await t.throwsAsync(enrolAt(await served(t, answer)), { message });
	});
}

test('a host where nobody listens is named with the reason', async (t) => {
	await t.throwsAsync(enrolAt('http://127.0.0.1:1'), {
		message: /http:\/\/127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/,
	});
});
