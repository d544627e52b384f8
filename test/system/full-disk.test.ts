import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { fillDisk, mountSmallDisk } from '../fake/small-disk.ts';
import type { HullProcess, Role } from './kit/hull-process.ts';
import { type Rest, claim, login, member } from './kit/rest.ts';
import { createStage } from './kit/stage.ts';
import { json } from './kit/telemetry.ts';

const PASSWORD = 'never seen before 7';
const DISK_MEBIBYTES = 100;

/** One change in each store; answers the status of each by its name. */
async function changeEverything(rest: Rest, mark: string): Promise<Readonly<Record<string, number>>> {
	const status: Record<string, number> = {};
	const post = async (name: string, path: string, body: object): Promise<void> => {
		const answer = await rest.post(path, body);
		status[name] = answer.status;
	};
	await post('user', '/api/v1/users', {
		email: `${mark}@example.com`,
		username: mark,
		password: PASSWORD,
		role: 'viewer',
	});
	await post('device', '/api/v1/devices', { name: mark, device_type: 'mqtt', device_uid: mark });
	await post('rule', '/api/v1/monitoring/alert-rules', {
		name: mark,
		metric: 'power',
		condition: 'gt',
		threshold: 1,
		severity: 'info',
	});
	await post('command', '/api/v1/devices/first/commands', { command_name: mark, payload: {} });
	await post('report', '/api/v1/analytics/reports/first', {});
	return status;
}

const namesOf = async (rest: Rest, path: string, field: string): Promise<readonly unknown[]> => {
	const list = await json(rest, path);
	return Array.isArray(list) ? list.map((one: unknown) => member(one, field)) : [];
};

/** What was confirmed under the marks is there. */
async function assertKept(
	t: ExecutionContext,
	rest: Rest,
	confirmed: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
	const found = new Map([
		['user', await namesOf(rest, '/api/v1/users/', 'username')],
		['device', await namesOf(rest, '/api/v1/devices?limit=100', 'device_uid')],
		['rule', await namesOf(rest, '/api/v1/monitoring/alert-rules?limit=100', 'name')],
		['command', await namesOf(rest, '/api/v1/devices/first/commands?limit=100', 'command_name')],
	]);
	for (const [name, marks] of confirmed)
		for (const mark of marks) t.is(found.get(name)?.filter((one) => one === mark).length, 1, `${name} ${mark}`);
}

/** @returns whether all succeeded */
function note(confirmed: Map<string, string[]>, mark: string, status: Readonly<Record<string, number>>): boolean {
	for (const [name, code] of Object.entries(status))
		if (code < 300 && name !== 'report') confirmed.set(name, [...(confirmed.get(name) ?? []), mark]);
	return Object.values(status).every((code) => code < 300);
}

for (const role of ['gateway', 'hub'] as const satisfies readonly Role[]) {
	test.serial(
		`a ${role} on a full disk says 503, starts, keeps what it has confirmed, and goes on when there is room`,
		async (t) => {
			t.timeout(300_000);
			const stage = createStage(t);
			const disk = mountSmallDisk(t, DISK_MEBIBYTES, join(stage.folder, `${role}-1`, 'data'));
			if (disk === null) {
				t.pass();
				return;
			}
			const hull: HullProcess = role === 'hub' ? await stage.spawnHub() : await stage.spawnGateway({ devices: [] });
			const rest = await claim(hull.url(), await hull.claimCode());
			const confirmed = new Map<string, string[]>();
			t.true(note(confirmed, 'first', await changeEverything(rest, 'first')));

			const free = await fillDisk(disk);
			const refusals: number[] = [];
			for (let round = 0; round < 4; round += 1) {
				const mark = `full-${round}`;
				const status = await changeEverything(rest, mark);
				note(confirmed, mark, status);
				refusals.push(...Object.values(status).filter((code) => code >= 300));
			}
			t.true(refusals.length > 0, 'the disk was full');
			// 404: the command and the report of a device that could not be made.
			t.deepEqual([...new Set(refusals)], [503]);
			await assertKept(t, rest, confirmed);
			free();
			t.true(note(confirmed, 'room', await changeEverything(rest, 'room')), 'it goes on without a restart');

			await hull.kill9();
			const freeAgain = await fillDisk(disk);
			await hull.start();
			await assertKept(t, rest, confirmed);
			freeAgain();
			await hull.kill9();
			await hull.start();
			const again = await login(hull.url());
			await assertKept(t, again, confirmed);
			t.true(note(confirmed, 'later', await changeEverything(again, 'later')));
		},
	);
}
