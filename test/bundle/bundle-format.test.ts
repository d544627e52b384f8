import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { type BundleItem, type BundleSummary, hubName } from '../../core/bundle/bundle-format.ts';
import { openBundle } from '../../core/bundle/bundle-reader.ts';
import { type BundleReceipt, readReceipt, signReceipt } from '../../core/bundle/bundle-receipt.ts';
import { writeBundle } from '../../core/bundle/bundle-writer.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { newGatewayId } from '../../core/kernel/id.ts';
import { issueClient, makeAuthority } from '../../core/pki/authority.ts';
import { exportKey, requestCertificate } from '../../core/pki/certificate.ts';

const GATEWAY = newGatewayId();
const NOW = epochMs(Date.UTC(2026, 10, 22));
const AUTHORITY = await makeAuthority('a hub');
const REQUEST = await requestCertificate(GATEWAY);
const CERTIFICATE = await issueClient(AUTHORITY, { commonName: GATEWAY, csrPem: REQUEST.csrPem, now: NOW, days: 365 });
const HUB = generateKeyPairSync('x25519');
const BUNDLE = '6f9a3c52-8d1e-4b6a-9a57-0c5f8f1f2d10';
const HEADER = {
	bundle_id: BUNDLE,
	gateway_id: GATEWAY,
	hub: hubName(AUTHORITY.caPem),
	created_at: NOW,
	certificate: CERTIFICATE,
};

const ITEMS: readonly BundleItem[] = [
	{ kind: 'documents', payload: Uint8Array.from(Buffer.from('{"devices":[]}')) },
	{ kind: 'backfill', payload: Uint8Array.from({ length: 5_000 }, (_, index) => index % 251) },
	{ kind: 'backfill', payload: new Uint8Array(0) },
];

async function* given(): AsyncGenerator<BundleItem, Omit<BundleSummary, 'items'>> {
	yield* ITEMS;
	return { samples: 12, is_complete: true };
}

async function bytesOf(): Promise<Buffer> {
	const ownKey = createPrivateKey(REQUEST.keyPem);
	const pieces: Uint8Array[] = [];
	for await (const piece of writeBundle({ header: HEADER, hubKey: HUB.publicKey, ownKey }, given()))
		pieces.push(Uint8Array.from(piece));
	return Buffer.concat(pieces);
}

function fileOf(t: ExecutionContext, bytes: Uint8Array): string {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-bundle-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	const path = join(folder, 'a.bundle');
	writeFileSync(path, bytes);
	return path;
}

async function verified(path: string): Promise<void> {
	const bundle = await openBundle(path);
	try {
		await bundle.verify();
	} finally {
		await bundle.close();
	}
}

/** Everything a hub does with it: header, signature, frames. */
async function read(path: string, key = HUB.privateKey) {
	const bundle = await openBundle(path);
	try {
		await bundle.verify();
		const items: BundleItem[] = [];
		const opened = bundle.items(key);
		let next = await opened.next();
		for (; next.done !== true; next = await opened.next()) items.push(next.value);
		return { header: bundle.header, items, summary: next.value };
	} finally {
		await bundle.close();
	}
}

const refusal = async (work: Promise<unknown>): Promise<string> => {
	try {
		await work;
	} catch (error) {
		if (error instanceof Fault && error.reason === 'rule-violation') return error.message;
		throw error;
	}
	return 'taken';
};

test('a bundle is opened by its hub, whole and in order', async (t) => {
	const { header, items, summary } = await read(fileOf(t, await bytesOf()));
	t.like(header, HEADER);
	t.deepEqual(
		items.map(({ kind, payload }) => [kind, [...payload]]),
		ITEMS.map(({ kind, payload }) => [kind, [...payload]]),
	);
	t.deepEqual(summary, { items: 3, samples: 12, is_complete: true });
});

test('nothing of its content can be read in the file', async (t) => {
	const bytes = await bytesOf();
	t.false(bytes.includes('devices'));
	t.not(
		(await bytesOf()).toString('hex').slice(4_000),
		bytes.toString('hex').slice(4_000),
		'each has a key of its own',
	);
});

test('a byte that was changed anywhere is found before anything is stored', async (t) => {
	const bytes = await bytesOf();
	for (let at = 0; at < bytes.length; at += 7) {
		const changed = Buffer.from(bytes);
		changed.writeUInt8(changed.readUInt8(at) ^ 0x10, at);
		t.not(await refusal(verified(fileOf(t, changed))), 'taken', `byte ${at}`);
	}
});

test('a bundle that was cut short anywhere, or grew, is refused', async (t) => {
	const bytes = await bytesOf();
	for (let length = 0; length < bytes.length; length += 13)
		t.not(await refusal(read(fileOf(t, bytes.subarray(0, length)))), 'taken', `${length} bytes`);
	t.regex(
		await refusal(read(fileOf(t, Buffer.concat([bytes, Buffer.from('x')].map((part) => Uint8Array.from(part)))))),
		/something follows/,
	);
});

test('another hub cannot open it', async (t) => {
	const other = generateKeyPairSync('x25519').privateKey;
	t.regex(await refusal(read(fileOf(t, await bytesOf()), other)), /cannot be opened/);
});

test('a receipt counts for its gateway, from its hub, as it was written', async (t) => {
	const receipt: BundleReceipt = {
		bundle_id: BUNDLE,
		gateway_id: GATEWAY,
		created_at: NOW,
		received: [{ epoch: 3, ranges: [{ first: 1, last: 900 }] }],
		losses: [],
	};
	const key = createPrivateKey(await exportKey(AUTHORITY.key));
	const text = signReceipt(receipt, key);
	t.deepEqual(readReceipt(`${text}\n`, AUTHORITY.caPem, GATEWAY), receipt);
	const strange = await makeAuthority('another hub');
	const [body = '', signature = ''] = text.split('.');
	const longer = Buffer.from(Buffer.from(body, 'base64url').toString().replace('900', '990')).toString('base64url');
	const wrong: readonly (readonly [string, () => unknown])[] = [
		['is not signed', () => readReceipt(text, strange.caPem, GATEWAY)],
		['is not signed', () => readReceipt(`${longer}.${signature}`, AUTHORITY.caPem, GATEWAY)],
		['is for gateway', () => readReceipt(text, AUTHORITY.caPem, newGatewayId())],
		['must be two parts', () => readReceipt('', AUTHORITY.caPem, GATEWAY)],
		['must be two parts', () => readReceipt(`${text}.x`, AUTHORITY.caPem, GATEWAY)],
	];
	for (const [sentence, work] of wrong)
		t.true(t.throws(work, { instanceOf: Fault })?.message.includes(sentence), sentence);
	t.is(createPublicKey(key).asymmetricKeyType, 'ec');
});
