import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsOptions } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import type { LineTls } from '../../config/connection/connection.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { Fault, type FaultReason } from '../../core/kernel/fault.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import { type DeviceServer, startDeviceServer } from '../fake/device-server.ts';
import { type FieldAuthority, type FieldCertificate, makeFieldAuthority } from '../fake/field-certificates.ts';
import { mbap } from '../fake/framings.ts';
import { createPduDevice } from '../fake/pdu-device.ts';

const host = '127.0.0.1';
const read = { unitId: 1, functionCode: 3, address: 5, count: 2, timeoutMs: 3000 } as const;

/** The authorities and certificates of all tests of this file, which run one after the other: a line has five seconds to open, and the making of keys takes all of a machine. */
const plant = makeFieldAuthority('Plant');
const stranger = makeFieldAuthority('Stranger');
const gatewayCertificate = plant.then((authority) => authority.issue(['gateway']));

async function certificateFolder(t: ExecutionContext): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'field-tls-'));
	t.teardown(() => rm(folder, { recursive: true, force: true }));
	const { cert, key } = await gatewayCertificate;
	await writeFile(join(folder, 'plant.crt'), (await plant).cert);
	await writeFile(join(folder, 'stranger.pem'), (await stranger).cert);
	await writeFile(join(folder, 'gateway.pem'), cert);
	await writeFile(join(folder, 'gateway.key'), key);
	await writeFile(join(folder, 'keyless.crt'), cert);
	await writeFile(join(folder, 'empty.crt'), '');
	return folder;
}

async function lineTo(t: ExecutionContext, server: DeviceServer, tls: LineTls) {
	t.teardown(() => server.stop());
	const line = createModbusLine(
		systemClock,
		portsOf(),
		await certificateFolder(t),
	)({ transport: 'tcp', host, port: server.port, tls }, createLineMeter(systemClock));
	t.teardown(() => line.close());
	return line;
}

async function refusal(t: ExecutionContext, server: DeviceServer, tls: LineTls): Promise<Fault> {
	const line = await lineTo(t, server, tls);
	return t.throwsAsync(
		line.open(new AbortController().signal, () => undefined),
		{ instanceOf: Fault },
	);
}

const serve = (options: TlsOptions): Promise<DeviceServer> => startDeviceServer(createPduDevice(), mbap, options);

test.serial('a device of a known authority is read', async (t) => {
	const line = await lineTo(t, await serve(await (await plant).issue([host])), { authority: 'plant' });
	await line.open(new AbortController().signal, () => undefined);
	t.is((await line.transact(read)).data.toString('hex'), '0023002a');
});

test.serial('a device may carry a name of its own', async (t) => {
	const server = await serve(await (await plant).issue(['inverter-3.plant']));
	const line = await lineTo(t, server, { authority: 'plant', serverName: 'inverter-3.plant' });
	await line.open(new AbortController().signal, () => undefined);
	t.is((await line.transact(read)).data.length, 4);
});

test.serial(
	'a device that signed its certificate itself is trusted when that certificate is installed as an authority',
	async (t) => {
		const own = await makeFieldAuthority('Lone device', [host]);
		const server = await serve({ cert: own.cert, key: own.key });
		t.teardown(() => server.stop());
		const folder = await certificateFolder(t);
		await writeFile(join(folder, 'lone.crt'), own.cert);
		const makeLine = createModbusLine(systemClock, portsOf(), folder);
		const lineWith = (authority: string) =>
			makeLine({ transport: 'tcp', host, port: server.port, tls: { authority } }, createLineMeter(systemClock));
		const trusting = lineWith('lone');
		await trusting.open(new AbortController().signal, () => undefined);
		t.is((await trusting.transact(read)).data.length, 4);
		await trusting.close();
		const wary = lineWith('plant');
		await t.throwsAsync(
			wary.open(new AbortController().signal, () => undefined),
			{ message: /signed itself/ },
		);
		await wary.close();
	},
);

test.serial('the gateway shows its certificate to a device that asks for one', async (t) => {
	const authority = await plant;
	const own = await authority.issue([host]);
	const server = await serve({ ...own, ca: authority.cert, requestCert: true, rejectUnauthorized: true });
	const line = await lineTo(t, server, { authority: 'plant', certificate: 'gateway' });
	await line.open(new AbortController().signal, () => undefined);
	t.is((await line.transact(read)).data.length, 4);
});

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
	test.serial(`a device that asks for a certificate and is shown none is named, with ${maxVersion}`, async (t) => {
		const authority = await plant;
		const own = await authority.issue([host]);
		const options = { ...own, ca: authority.cert, requestCert: true, rejectUnauthorized: true, maxVersion };
		const line = await lineTo(t, await serve(options), { authority: 'plant' });
		// Under TLS 1.3 the handshake of the client is over before the device has looked.
		const lost = new Promise<string | null>((resolve) => {
			line.open(new AbortController().signal, resolve).catch((fault: unknown) => resolve(String(fault)));
		});
		t.regex((await lost) ?? '', /127\.0\.0\.1:\d+ .*certificate.*\(E[A-Z0-9_]+\)/);
	});
}

interface Refused {
	readonly name: string;
	readonly certificate: (authority: FieldAuthority) => Promise<FieldCertificate>;
	readonly tls: LineTls;
	readonly sentence: RegExp;
	readonly reason?: FaultReason;
}

const refused: readonly Refused[] = [
	{
		name: 'an expired certificate',
		certificate: (authority) => authority.issue([host], -20, -10),
		tls: { authority: 'plant' },
		sentence:
			/the certificate of 127\.0\.0\.1:\d+ has expired, or the clock of the gateway is wrong \(CERT_HAS_EXPIRED\)/,
	},
	{
		name: 'a certificate of the future',
		certificate: (authority) => authority.issue([host], 10, 20),
		tls: { authority: 'plant' },
		sentence: /is not valid yet, or the clock of the gateway is wrong \(CERT_NOT_YET_VALID\)/,
	},
	{
		name: 'a certificate of another authority',
		certificate: (authority) => authority.issue([host]),
		tls: { authority: 'stranger' },
		sentence: /was issued by an authority that is not trusted/,
	},
	{
		name: 'a certificate of an authority the operating system does not know',
		certificate: (authority) => authority.issue([host]),
		tls: {},
		sentence: /was issued by an authority that is not trusted/,
	},
	{
		name: 'a certificate of another name',
		certificate: (authority) => authority.issue(['inverter-4.plant']),
		tls: { authority: 'plant', serverName: 'inverter-3.plant' },
		sentence: /carries another name \(DNS:inverter-4\.plant\) \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
	},
	{
		name: 'a certificate without the address of the device',
		certificate: (authority) => authority.issue(['inverter-4.plant']),
		tls: { authority: 'plant' },
		sentence: /carries another name/,
	},
	{
		name: 'an authority that is not installed',
		certificate: (authority) => authority.issue([host]),
		tls: { authority: 'nobody' },
		sentence: /the authority nobody is not installed: nobody\.crt or nobody\.pem is missing/,
		reason: 'unavailable',
	},
	{
		name: 'a certificate of the gateway that is not installed',
		certificate: (authority) => authority.issue([host]),
		tls: { authority: 'plant', certificate: 'nobody' },
		sentence: /the certificate nobody is not installed: nobody\.crt or nobody\.pem is missing/,
		reason: 'unavailable',
	},
	{
		name: 'a certificate of the gateway without its key',
		certificate: (authority) => authority.issue([host]),
		tls: { authority: 'plant', certificate: 'keyless' },
		sentence: /the key of the certificate keyless is not installed: keyless\.key is missing/,
		reason: 'unavailable',
	},
	{
		name: 'a file that holds no certificate',
		certificate: (authority) => authority.issue([host]),
		tls: { authority: 'empty' },
		sentence: /the authority empty is no certificate: .*empty\.crt/,
		reason: 'unavailable',
	},
];
for (const { name, certificate, tls, sentence, reason = 'forbidden' } of refused) {
	test.serial(`${name} is refused with a sentence`, async (t) => {
		const fault = await refusal(t, await serve(await certificate(await plant)), tls);
		t.regex(fault.message, sentence);
		t.is(fault.reason, reason);
	});
}

test.serial('a device that speaks only an old TLS is refused', async (t) => {
	const own = await (await plant).issue([host]);
	const options: TlsOptions = { ...own, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
	t.regex(
		(await refusal(t, await serve(options), { authority: 'plant' })).message,
		/speaks only versions of TLS older/,
	);
});

test.serial('a device that speaks no TLS at all is refused', async (t) => {
	const server = await startDeviceServer(createPduDevice(), {
		cut: (bytes) =>
			bytes.length === 0 ? null : { unitId: 0, pdu: Buffer.from([17]), tag: bytes, rest: Buffer.alloc(0) },
		wrap: () => Buffer.from('no TLS here, only text'),
	});
	t.regex((await refusal(t, server, { authority: 'plant' })).message, /does not speak TLS/);
});

test.serial('a key that is not that of the certificate is refused', async (t) => {
	const folder = await certificateFolder(t);
	await writeFile(join(folder, 'gateway.key'), (await (await plant).issue(['other'])).key);
	const server = await serve(await (await plant).issue([host]));
	t.teardown(() => server.stop());
	const tls = { authority: 'plant', certificate: 'gateway' };
	const line = createModbusLine(
		systemClock,
		portsOf(),
		folder,
	)({ transport: 'tcp', host, port: server.port, tls }, createLineMeter(systemClock));
	const opening = line.open(new AbortController().signal, () => undefined);
	const fault = await t.throwsAsync(opening, { instanceOf: Fault });
	t.regex(fault?.message ?? '', /the certificate gateway/);
	await line.close();
});
