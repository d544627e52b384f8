import { spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { createPolledIo, polledPortOf } from '../../gateway/driver/port/polled-port.ts';

const READABLE = 1;
const WRITABLE = 2;

/** A poller that is asked, and tells when the test says so. */
class FakePoller extends EventEmitter {
	readonly asked: number[] = [];
	poll(flags: number): void {
		this.asked.push(flags);
		this.emit('asked', flags);
	}
}

/** A port on a pipe with a name: it can be filled and emptied from outside. */
async function openPipe(t: ExecutionContext) {
	const folder = await mkdtemp(join(tmpdir(), 'port-io-'));
	const path = join(folder, 'pipe');
	spawnSync('mkfifo', [path]);
	const open = (): number => openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
	const [fd, outside] = [open(), open()];
	const poller = new FakePoller();
	const heard: Buffer[] = [];
	const failures: (string | null)[] = [];
	const io = createPolledIo(
		{ fd, poller },
		{
			bytes: (chunk) => heard.push(Buffer.from(chunk)),
			failed: (error) => failures.push(error?.message ?? null),
		},
	);
	t.teardown(async () => {
		io.end();
		closeSync(fd);
		closeSync(outside);
		await rm(folder, { recursive: true });
	});
	return { io, poller, heard, failures, outside };
}

/** Fills the pipe. @returns the bytes it took */
function fill(fd: number): number {
	let taken = 0;
	try {
		for (;;) taken += writeSync(fd, Buffer.alloc(4096, 0xaa));
	} catch {
		return taken;
	}
}

function empty(fd: number): Buffer {
	const chunks: Buffer[] = [];
	try {
		for (;;) {
			const chunk = Buffer.alloc(8192);
			chunks.push(chunk.subarray(0, readSync(fd, chunk)));
		}
	} catch {
		return Buffer.concat(chunks);
	}
}

test('what a port does not take at once is written in order when it has room again', async (t) => {
	const { io, poller, outside, failures } = await openPipe(t);
	const full = fill(outside);
	io.write(Buffer.from('first '));
	io.write(Buffer.from('second'));
	t.is(poller.asked.at(-1), READABLE | WRITABLE);
	t.is(empty(outside).length, full, 'nothing of it is in the pipe');
	poller.emit('writable', null);
	t.is(empty(outside).toString(), 'first second');
	t.is(poller.asked.at(-1), READABLE);
	t.deepEqual(failures, []);
});

test('a port that takes nothing for long is given up, and holds no more than a few frames', async (t) => {
	const { io, outside, failures } = await openPipe(t);
	fill(outside);
	for (let frames = 0; frames < 100 && failures.length === 0; frames += 1) io.write(Buffer.alloc(256));
	t.deepEqual(failures, ['the port has not taken 4096 bytes']);
	io.write(Buffer.alloc(256));
	t.is(failures.length, 1);
});

test('while a port rests nobody is woken; then everything is handed over', async (t) => {
	const { io, poller, heard, outside } = await openPipe(t);
	t.deepEqual(poller.asked, [READABLE]);
	io.rest(10);
	t.deepEqual(poller.asked, [READABLE, 0]);
	writeSync(outside, 'an ');
	writeSync(outside, 'answer');
	t.deepEqual(heard, []);
	await once(poller, 'asked');
	t.is(Buffer.concat(heard).toString(), 'an answer');
	t.is(poller.asked.at(-1), READABLE);
});

test('a rest that is not worth its timer is none', async (t) => {
	const { io, poller } = await openPipe(t);
	io.rest(2);
	t.deepEqual(poller.asked, [READABLE]);
});

test('the end of a file is an adapter that was unplugged, and is told once', (t) => {
	const fd = openSync('/dev/null', constants.O_RDONLY);
	t.teardown(() => closeSync(fd));
	const poller = new FakePoller();
	const failures: unknown[] = [];
	createPolledIo({ fd, poller }, { bytes: () => t.fail(), failed: (error) => failures.push(error) });
	poller.emit('readable', null);
	poller.emit('readable', null);
	t.deepEqual(failures, [null]);
});

test('an error of the poller is told, but not that the port is being closed', async (t) => {
	const first = await openPipe(t);
	first.poller.emit('readable', new Error('bad descriptor'));
	t.deepEqual(first.failures, ['bad descriptor']);
	const second = await openPipe(t);
	second.io.end();
	second.poller.emit('readable', new Error('Canceled'));
	t.deepEqual(second.failures, []);
});

test('a port without descriptor or poller is read another way', (t) => {
	t.is(polledPortOf({}), null);
	t.is(polledPortOf({ fd: null, poller: new FakePoller() }), null);
	t.is(polledPortOf({ fd: 3 }), null);
	t.not(polledPortOf({ fd: 3, poller: new FakePoller() }), null);
});
