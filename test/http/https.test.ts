import { X509Certificate } from 'node:crypto';
import { request as plainRequest } from 'node:http';
import { Agent, request, type RequestOptions } from 'node:https';
import { connect } from 'node:tls';

import test, { type ExecutionContext } from 'ava';
import mqtt from 'mqtt';
import { io } from 'socket.io-client';

import { startPair } from '../link/pair.ts';
import { ADMINISTRATOR, createRest, member } from '../system/kit/rest.ts';

interface Answered {
	readonly status: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly text: string;
}

interface Options extends Omit<RequestOptions, 'headers'> {
	readonly headers?: Readonly<Record<string, string>>;
}

function send(target: URL, options: Options, body?: object): Promise<Answered> {
	return new Promise((resolve, reject) => {
		const headers = { ...options.headers, ...(body !== undefined && { 'content-type': 'application/json' }) };
		const start = target.protocol === 'https:' ? request : plainRequest;
		const sent = start(target, { timeout: 5_000, ...options, headers }, (response) => {
			const pieces: Buffer[] = [];
			response.on('data', (piece: Buffer) => pieces.push(piece));
			response.on('end', () =>
				resolve({
					status: response.statusCode ?? 0,
					headers: response.headers,
					text: Buffer.concat(pieces).toString(),
				}),
			);
		});
		sent.on('error', reject);
		sent.end(body === undefined ? undefined : JSON.stringify(body));
	});
}

const cookieOf = ({ headers }: Answered): string => String(headers['set-cookie']);

/** A gateway and the root that it hands out over plain HTTP. */
async function box(t: ExecutionContext) {
	const pair = await startPair(t);
	const { httpPort, httpsPort, mqttTlsPort } = pair.gateway();
	const plain = `http://127.0.0.1:${httpPort}`;
	const root = await send(new URL('/api/v1/certificate-authority', plain), {});
	const agent = new Agent({ ca: root.text });
	t.teardown(() => agent.destroy());
	const tls = (path: string, options: Options = {}, body?: object): Promise<Answered> =>
		send(new URL(path, `https://localhost:${httpsPort}`), { agent, ...options }, body);
	return { pair, plain, root, httpsPort: httpsPort ?? 0, mqttTlsPort: mqttTlsPort ?? 0, tls };
}

test.serial('the root is handed out to anybody, and its fingerprint beside it', async (t) => {
	const { plain, root, pair } = await box(t);
	t.is(root.status, 200);
	t.is(root.headers['content-type'], 'application/x-pem-file');
	t.is(root.headers['content-disposition'], 'attachment; filename="drawbridge-gateway-ca.pem"');
	const certificate = new X509Certificate(root.text);
	t.true(certificate.ca);
	t.false(root.text.includes('PRIVATE'));
	const { body } = await createRest(plain, null).get('/api/v1/setup');
	t.is(member(body, 'certificate_authority_sha256'), certificate.fingerprint256);
	const hub = await createRest(pair.hubUrl(), null).get('/api/v1/setup');
	t.not(member(hub.body, 'certificate_authority_sha256'), certificate.fingerprint256, 'each box has its own');
});

test.serial('a client that trusts nothing but the root uses REST over HTTPS, by name and by address', async (t) => {
	const { tls, httpsPort, root } = await box(t);
	const health = await tls('/health');
	t.is(health.status, 200);
	t.is(health.headers['strict-transport-security'], undefined, 'another installation has another root');
	const byAddress = await send(new URL('/health', `https://127.0.0.1:${httpsPort}`), {
		agent: new Agent({ ca: root.text }),
	});
	t.is(byAddress.status, 200);
	await t.throwsAsync(send(new URL('/health', `https://localhost:${httpsPort}`), { agent: new Agent() }), {
		message: /self-signed|unable to (get|verify)/,
	});
	const missing = await tls('/api/v1/nothing');
	t.is(missing.status, 404);
	t.regex(missing.text, /RESOURCE_NOT_FOUND/);
	const expecting = await tls(
		'/api/v1/auth/login',
		{ method: 'POST', headers: { expect: '100-continue' } },
		ADMINISTRATOR,
	);
	t.not(expecting.status, 0);
});

test.serial('the refresh cookie of a login over TLS is returned over TLS only', async (t) => {
	const { tls, plain } = await box(t);
	const { email, password } = ADMINISTRATOR;
	const secure = await tls('/api/v1/auth/login', { method: 'POST' }, { email, password });
	t.is(secure.status, 200);
	t.regex(cookieOf(secure), /Secure/);
	t.regex(cookieOf(secure), /HttpOnly/);
	const open = await send(new URL('/api/v1/auth/login', plain), { method: 'POST' }, { email, password });
	t.is(open.status, 200);
	t.notRegex(cookieOf(open), /Secure/);
});

for (const transport of ['websocket', 'polling'] as const) {
	test.serial(`Socket.IO works over TLS (${transport})`, async (t) => {
		const { root, httpsPort, pair } = await box(t);
		const { token } = await pair.gatewayRest();
		const socket = io(`https://localhost:${httpsPort}/monitoring`, {
			path: '/socket.io/',
			transports: [transport],
			ca: root.text,
			auth: { token },
			reconnection: false,
			forceNew: true,
		});
		t.teardown(() => void socket.disconnect());
		await new Promise<void>((resolve, reject) => {
			socket.once('connect', resolve);
			socket.once('connect_error', reject);
		});
		t.true(socket.connected);
		const stranger = io(`https://localhost:${httpsPort}/monitoring`, {
			transports: [transport],
			ca: root.text,
			reconnection: false,
			forceNew: true,
		});
		t.teardown(() => void stranger.disconnect());
		const refused = await new Promise<Error>((resolve) => void stranger.once('connect_error', resolve));
		t.regex(refused.message, /token/);
	});
}

test.serial('what is no HTTP, or has endless headers, is refused over TLS as it is without', async (t) => {
	const { root, httpsPort, tls } = await box(t);
	const heard = (bytes: string): Promise<string> =>
		new Promise((resolve) => {
			let text = '';
			const socket = connect({ host: '127.0.0.1', port: httpsPort, servername: 'localhost', ca: root.text });
			socket.on('data', (piece: Buffer) => (text += piece.toString()));
			socket.on('error', () => undefined);
			socket.on('close', () => resolve(text));
			socket.write(bytes);
		});
	t.regex(await heard('no http\r\n\r\n'), /^HTTP\/1\.1 400/);
	t.regex(await heard(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431/);
	t.is((await tls('/health')).status, 200);
});

test.serial('devices reach the MQTT broker over TLS with the same root', async (t) => {
	const { root, mqttTlsPort, pair } = await box(t);
	const rest = await pair.gatewayRest();
	await rest.post('/api/v1/devices', {
		device_uid: 'sensor-1',
		name: 'Tank',
		device_type: 'sensor',
		connection: { driver: 'mqtt' },
	});
	const { body } = await rest.post('/api/v1/devices/sensor-1/mqtt-credentials', {});
	const client = await mqtt.connectAsync(`mqtts://localhost:${mqttTlsPort}`, {
		ca: root.text,
		username: String(member(body, 'username')),
		password: String(member(body, 'password')),
		clientId: 'sensor-1',
		reconnectPeriod: 0,
	});
	t.true(client.connected);
	await client.endAsync(true);
	await t.throwsAsync(
		mqtt.connectAsync(
			`mqtts://localhost:${mqttTlsPort}`,
			{ username: 'sensor-1', password: 'x', reconnectPeriod: 0 },
			false,
		),
	);
});
