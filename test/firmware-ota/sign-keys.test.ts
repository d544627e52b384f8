import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';

import test from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { newKey, openKey, readPublic, readSealed, sealKey } from '../../firmware-ota/sign/key-file.ts';
import { createPassphrases, terminalAsk } from '../../firmware-ota/sign/passphrase.ts';
import { main } from '../../firmware-ota/sign/sign-command.ts';
import { run } from '../fake/peer-program.ts';
import { newFolder } from './both-clients.ts';
import { PASSPHRASE, signDesk } from './sign-desk.ts';

const CHEAP_N = 16;

test('a key lies sealed on the disk, for its owner only, and its public half beside it', async (t) => {
	const { path } = await signDesk(t, ['alice']);
	const text = readFileSync(path('keys/alice'), 'utf8');
	t.is(statSync(path('keys/alice')).mode & 0o777, 0o600);
	const sealed = readSealed(text, 'alice');
	const { secret } = await openKey(sealed, PASSPHRASE);
	const raw = secret.export({ type: 'pkcs8', format: 'der' }).subarray(-32);
	t.false(text.includes(raw.toString('hex')) || text.includes(raw.toString('base64')));
	const open = readPublic(readFileSync(path('keys/alice.pub'), 'utf8'), 'alice.pub');
	t.deepEqual(open, readPublic(text, 'alice'));
});

test('the same passphrase typed with other combining marks opens it', async (t) => {
	const sealed = await sealKey(newKey('x'), 'schlüssel für alle', CHEAP_N);
	await t.notThrowsAsync(openKey(sealed, 'schlu\u0308ssel fu\u0308r alle'));
});

test('another passphrase, or a file that was changed anywhere, opens nothing', async (t) => {
	const sealed = await sealKey(newKey('alice'), PASSPHRASE, CHEAP_N);
	const other = newKey('mallory');
	const flipped = Buffer.from(sealed.sealed, 'base64');
	flipped.writeUInt8(flipped.readUInt8(3) ^ 1, 3);
	const changed = [
		{ ...sealed, name: 'mallory' },
		{ ...sealed, key_id: other.key_id, key: other.key },
		{ ...sealed, kdf: { ...sealed.kdf, n: 32 } },
		{ ...sealed, nonce: Buffer.alloc(12).toString('base64') },
		{ ...sealed, sealed: flipped.toString('base64') },
		{ ...sealed, sealed: '' },
	];
	await t.throwsAsync(openKey(sealed, `${PASSPHRASE} `), { message: /does not open/ });
	for (const one of changed) await t.throwsAsync(openKey(one, PASSPHRASE), { message: /does not open/ });
});

test('a file that would cost all memory, or is none, is refused before anything is tried', async (t) => {
	const sealed = await sealKey(newKey('alice'), PASSPHRASE, CHEAP_N);
	for (const change of [
		{ kdf: { ...sealed.kdf, n: 2 ** 30 } },
		{ format: 'other' },
		{ name: 'a\nb' },
		{ key_id: 'short' },
	])
		t.throws(() => readSealed(JSON.stringify({ ...sealed, ...change }), 'file'), { message: /is no key file/ });
	t.throws(() => readPublic('{', 'file'), { message: /is no key file/ });
	const wrong = { ...sealed, key_id: 'a'.repeat(64) };
	t.throws(() => readPublic(JSON.stringify(wrong), 'file'), { message: /not that of the key/ });
});

test('a passphrase of a few letters is refused for a new key', async (t) => {
	await t.throwsAsync(sealKey(newKey('alice'), 'short', CHEAP_N), { message: /at least 12 letters/ });
});

test('a passphrase comes from a file that only its owner reads, from the environment, or from a person', async (t) => {
	const file = join(newFolder(t), 'passphrase');
	writeFileSync(file, 'from the file\nnot this\n', { mode: 0o600 });
	const asked: string[] = [];
	const askHidden = async (question: string): Promise<string> => {
		asked.push(question);
		return 'typed by hand';
	};
	const all = { file, environment: 'from outside', askHidden };
	t.is(await createPassphrases(all).ask('key'), 'from the file');
	t.is(await createPassphrases({ ...all, file: null }).ask('key'), 'from outside');
	const person = createPassphrases({ file: null, environment: null, askHidden });
	t.is(await person.ask('key of alice'), 'typed by hand');
	t.is(await person.choose('key of alice'), 'typed by hand');
	t.is(asked.length, 3);
	chmodSync(file, 0o640);
	await t.throwsAsync(createPassphrases(all).ask('key'), { message: /open to others/ });
	await t.throwsAsync(createPassphrases({ file: null, environment: null, askHidden: null }).ask('key'), {
		message: /nobody is at a terminal/,
	});
	let turn = 0;
	const unsure = createPassphrases({ file: null, environment: null, askHidden: async () => `try ${(turn += 1)}` });
	await t.throwsAsync(unsure.choose('key'), { message: /the two passphrases differ/ });
});

test('no command takes a passphrase on its line', async (t) => {
	let out = '';
	const world = {
		out: (text: string) => void (out += text),
		err: (text: string) => void (out += text),
		clock: systemClock,
		passphrase: null,
		askHidden: null,
	};
	t.is(await main(['new-key', '--key', 'x', '--name', 'x', '--passphrase', 'secret'], world), 64);
	t.is(await main(['--help'], world), 0);
	for (const command of ['new-key', 'sign', 'publish']) t.is(await main([command, '--help'], world), 0);
	t.notRegex(out, /--passphrase /);
	t.is(await main([], world), 64);
	t.is(await main(['dance'], world), 64);
	t.is(await main(['constructor'], world), 64);
	t.is(await main(['status'], world), 64);
});

test('the program makes a key that the library opens, and says what is wrong with its exit code', async (t) => {
	t.timeout(60_000);
	const folder = newFolder(t);
	const [program, key, passphrase] = ['bin/drawbridge-sign.js', join(folder, 'alice'), join(folder, 'passphrase')];
	writeFileSync(passphrase, `${PASSPHRASE}\n`, { mode: 0o600 });
	const node = (words: readonly string[]) => run(process.execPath, [program, ...words], 30_000);
	const made = await node(['new-key', '--key', key, '--name', 'alice', '--passphrase-file', passphrase]);
	t.is(made.code, 0, made.err);
	const sealed = readSealed(readFileSync(key, 'utf8'), 'alice');
	t.is(sealed.kdf.n, 2 ** 17);
	await t.notThrowsAsync(openKey(sealed, PASSPHRASE));
	t.is((await node(['status', '--repository', join(folder, 'none')])).code, 0);
	t.is((await node(['new-key', '--key', key, '--name', 'alice'])).code, 65);
	t.is((await node(['dance'])).code, 64);
});

test('what is typed at a terminal is not shown, can be corrected, and can be called off', async (t) => {
	const shown: string[] = [];
	const modes: boolean[] = [];
	const stream = new PassThrough();
	const keyboard = Object.assign(stream, { setRawMode: (isRaw: boolean) => modes.push(isRaw) });
	const ask = terminalAsk(keyboard, { write: (text) => shown.push(text) });
	const first = ask('Passphrase: ');
	stream.write('corrext\u007f');
	stream.write('\b\bect horse\rrest');
	t.is(await first, 'correct horse');
	t.deepEqual(shown, ['Passphrase: ', '\n']);
	t.deepEqual(modes, [true, false]);
	const second = ask('Passphrase: ');
	stream.write('never \u0003');
	await t.throwsAsync(second, { message: 'called off' });
	t.deepEqual(modes, [true, false, true, false]);
});
