import { execFile } from 'node:child_process';

import test from 'ava';

import { findPeer } from '../system/kit/peer.ts';
import { member } from '../system/kit/rest.ts';
import { createStage } from '../system/kit/stage.ts';

/** What an independent master reads; empty when it fails. */
function poll(mbpoll: string, args: readonly string[]): Promise<string> {
	return new Promise((resolve) => {
		execFile(mbpoll, ['-t', '3:float', '-B', '-0', '-1', '-o', '1', ...args], (_error, stdout, stderr) => {
			resolve(stdout + stderr);
		});
	});
}

test('a master of another make reads what was written into the simulator over TCP', async (t) => {
	const mbpoll = findPeer(t, 'mbpoll');
	if (mbpoll === null) return;
	const simulator = await createStage(t).spawnSimulator('--tcp', '0:1,7');
	await simulator.override(7, 0, 123.5);
	const args = ['-m', 'tcp', '-p', String(simulator.port()), '-r', '0'];
	t.regex(await poll(mbpoll, [...args, '-a', '7', '127.0.0.1']), /\[0\]:\s+123\.5/);
	t.regex(await poll(mbpoll, [...args, '-a', '1', '-c', '40', '127.0.0.1']), /\[70\]:\s+(49\.9|50)/);
	t.regex(await poll(mbpoll, [...args, '-a', '1', '-c', '41', '127.0.0.1']), /Illegal data value/);
	await simulator.behave(1, 'exception', { exception_code: 6 });
	t.regex(await poll(mbpoll, [...args, '-a', '1', '127.0.0.1']), /busy/i);
	await simulator.behave(1, 'silent');
	t.regex(await poll(mbpoll, [...args, '-a', '1', '127.0.0.1']), /timed out/);
	await simulator.behave(1, 'garbage');
	t.notRegex(await poll(mbpoll, [...args, '-a', '1', '127.0.0.1']), /\[0\]/);
	t.is(member(await simulator.control('counts'), 'silent'), 1);
});

test('a master of another make reads a meter over a serial line', async (t) => {
	const mbpoll = findPeer(t, 'mbpoll');
	if (mbpoll === null || findPeer(t, 'socat') === null) return;
	const stage = createStage(t);
	const simulator = await stage.spawnSimulator('--rtu', `${stage.folder}:5`, '--paced');
	await simulator.override(5, 52, -1500);
	const path = simulator.lines[0]?.path ?? '';
	const output = await poll(mbpoll, ['-m', 'rtu', '-b', '9600', '-P', 'none', '-a', '5', '-r', '52', path]);
	t.regex(output, /\[52\]:\s+-1500/);
});

test('a command that cannot be obeyed is refused with a reason, and the simulator goes on', async (t) => {
	const simulator = await createStage(t).spawnSimulator('--tcp', '0:1', '--mode', 'points');
	await t.throwsAsync(simulator.override(9, 0, 1), { message: /no unit 9/ });
	await t.throwsAsync(simulator.control('override', { line: 3, value: 1 }), { message: /no line 3/ });
	await t.throwsAsync(simulator.control('explode'), { message: /command/ });
	t.truthy(await simulator.control('counts'));
});
