import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { gatewayId } from '../../core/kernel/id.ts';
import { enrolWithHub } from '../../gateway/uplink/enrol.ts';
import type { HullProcess } from './kit/hull-process.ts';
import { createRandom, type Random } from './kit/random.ts';
import { claim, login, member, type Rest } from './kit/rest.ts';
import { systemSeeds } from './kit/seeds.ts';
import { createStage } from './kit/stage.ts';
import { json } from './kit/telemetry.ts';
import { waitFor } from './kit/wait-for.ts';

const KILLS = 4;
/** Longest life and longest death of a process between two kills. */
const MOST_ALIVE_MS = 2_500;
const MOST_DEAD_MS = 300;
/** A hull that was killed has to start before it answers. */
const ANSWERED_WITHIN_MS = 180_000;
/** Changes of one worker: what a page of each list shows. */
const MOST_CHANGES = 90;
const PASSWORD = 'never seen before 7';
const RULES = '/api/v1/monitoring/alert-rules';
const ALERTS = '/api/v1/monitoring/alerts';
const WATCHED = 'watched';

interface Answer {
	readonly status: number;
	readonly body: unknown;
}

/** What became of the changes under their marks. */
interface Outcome {
	/** Answered 2xx: there, once. */
	readonly confirmed: string[];
	/** Begun, and the outcome is not known: there once, or not at all. */
	readonly unknown: string[];
	/** Ids of confirmed records, which the audit log names. */
	readonly targets: string[];
}

/** Sends one request until it is answered: always under the same key, as a client does that lost its connection. */
async function insist(
	hull: HullProcess,
	token: string | null,
	method: string,
	path: string,
	body: object,
): Promise<Answer> {
	const key = randomUUID();
	return waitFor(`an answer to ${method} ${path}`, ANSWERED_WITHIN_MS, async () => {
		const response = await fetch(`${hull.url()}${path}`, {
			method,
			headers: { authorization: `Bearer ${token ?? ''}`, 'content-type': 'application/json', 'idempotency-key': key },
			body: JSON.stringify(body),
			signal: AbortSignal.timeout(20_000),
		});
		const answer: unknown = await response.json();
		// A client that gave up waiting too early is told so, and asks again.
		return String(member(answer, 'detail')).includes('is still running')
			? null
			: { status: response.status, body: answer };
	});
}

interface Worker {
	readonly name: string;
	/** Where its records are listed, and in which field their mark stands. */
	readonly list: string;
	readonly field: string;
	readonly outcome: Outcome;
	/** Makes the change of this mark. */
	readonly change: (mark: string) => Promise<Answer>;
	/** Goes on from a change that was confirmed. */
	readonly goOn?: (mark: string, body: unknown) => Promise<void>;
}

const newOutcome = (): Outcome => ({ confirmed: [], unknown: [], targets: [] });

function noteAnswer(t: ExecutionContext, { name, outcome }: Worker, mark: string, { status, body }: Answer): boolean {
	const isUnknown = status === 409 && String(member(body, 'detail')).includes('its answer is not known');
	if (isUnknown) outcome.unknown.push(mark);
	else if (status < 300) {
		outcome.confirmed.push(mark);
		outcome.targets.push(String(member(body, 'id')));
	} else t.fail(`${name} ${mark}: ${status} ${JSON.stringify(body)}`);
	return status < 300;
}

async function work(t: ExecutionContext, worker: Worker, isOver: () => boolean): Promise<void> {
	for (let count = 0; count < MOST_CHANGES && !isOver(); count += 1) {
		const mark = `${worker.name}-${count}`;
		const answer = await worker.change(mark);
		if (noteAnswer(t, worker, mark, answer)) await worker.goOn?.(mark, answer.body);
	}
}

async function killAgainAndAgain(hull: HullProcess, random: Random): Promise<void> {
	for (let kill = 0; kill < KILLS; kill += 1) {
		await sleep(random.below(MOST_ALIVE_MS));
		await hull.kill9();
		await sleep(random.below(MOST_DEAD_MS));
		await hull.start();
	}
}

const listOf = async (rest: Rest, path: string): Promise<readonly unknown[]> => {
	const list = await json(rest, path);
	if (!Array.isArray(list)) throw new Error(`${path} is no list`);
	return list as readonly unknown[];
};

async function auditOf(rest: Rest): Promise<readonly unknown[]> {
	const entries: unknown[] = [];
	let cursor: string | null = null;
	do {
		const path: string = `/api/v1/audit?limit=200&outcome=done${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
		const { body, nextCursor } = await rest.get(path);
		if (Array.isArray(body)) entries.push(...(body as unknown[]));
		cursor = nextCursor;
	} while (cursor !== null);
	return entries;
}

async function assertAudited(t: ExecutionContext, rest: Rest, workers: readonly Worker[]): Promise<void> {
	const counts = new Map<string, number>();
	for (const entry of await auditOf(rest)) {
		const action = String(member(entry, 'action'));
		if (action.startsWith('create') || action.startsWith('add')) {
			const target = String(member(entry, 'target'));
			counts.set(target, (counts.get(target) ?? 0) + 1);
		}
	}
	for (const { name, outcome } of workers)
		t.deepEqual(
			outcome.targets.filter((target) => target !== 'undefined' && counts.get(target) !== 1),
			[],
			`${name}: each confirmed change is in the audit log once`,
		);
	t.like(await json(rest, '/api/v1/audit/verify'), { intact: true });
}

/** Everything that a box keeps, changed without a break while it is killed. */
async function survive(t: ExecutionContext, hull: HullProcess, rest: Rest, random: Random): Promise<readonly Worker[]> {
	const insistOn = (path: string, body: object, method = 'POST'): Promise<Answer> =>
		insist(hull, rest.token, method, path, body);
	const someone = await insistOn('/api/v1/users', { email: 'counter@example.com', password: PASSWORD, role: 'viewer' });
	const watched = await insistOn('/api/v1/devices', { name: WATCHED, device_type: 'mqtt', device_uid: WATCHED });
	t.is(watched.status, 201, JSON.stringify(watched.body));
	const counted = { sent: 0, confirmed: 0 };
	const acknowledged: string[] = [];

	async function raiseAndAcknowledge(metric: string): Promise<void> {
		const open = await waitFor(`an alert of ${metric}`, ANSWERED_WITHIN_MS, async () => {
			await insistOn(`/api/v1/devices/${WATCHED}/telemetry`, { telemetry_type: 'values', payload: { [metric]: 5 } });
			const all = await listOf(rest, `${ALERTS}?limit=200`);
			return all.find((alert) => String(member(alert, 'message')).includes(`${metric} 5`));
		});
		const id = String(member(open, 'id'));
		const { status } = await insistOn(`${ALERTS}/${id}/acknowledge`, {});
		if (status < 300) acknowledged.push(id);
	}

	const workers: readonly Worker[] = [
		{
			name: 'user',
			list: '/api/v1/users/',
			field: 'username',
			outcome: newOutcome(),
			change: (mark) =>
				insistOn('/api/v1/users', { email: `${mark}@example.com`, username: mark, password: PASSWORD, role: 'viewer' }),
			async goOn() {
				counted.sent += 1;
				const path = `/api/v1/users/${String(member(someone.body, 'id'))}`;
				const { status } = await insistOn(path, { full_name: String(counted.sent) }, 'PATCH');
				if (status < 300) counted.confirmed = counted.sent;
			},
		},
		{
			name: 'rule',
			list: `${RULES}?limit=200`,
			field: 'name',
			outcome: newOutcome(),
			change: (mark) => insistOn(RULES, { name: mark, metric: mark, condition: 'gt', threshold: 1, severity: 'info' }),
			goOn: (mark) => raiseAndAcknowledge(mark),
		},
		{
			name: 'device',
			list: '/api/v1/devices?limit=200',
			field: 'device_uid',
			outcome: newOutcome(),
			change: (mark) => insistOn('/api/v1/devices', { name: mark, device_type: 'mqtt', device_uid: mark }),
		},
		{
			name: 'command',
			list: `/api/v1/devices/${WATCHED}/commands?limit=200`,
			field: 'command_name',
			outcome: newOutcome(),
			change: (mark) => insistOn(`/api/v1/devices/${WATCHED}/commands`, { command_name: mark, payload: {} }),
		},
		hull.role === 'gateway' ? readers(insistOn) : gateways(hull, insistOn),
	];
	let isOver = false;
	const killing = killAgainAndAgain(hull, random)
		.then(() => sleep(500))
		.finally(() => {
			isOver = true;
		});
	await Promise.all([killing, ...workers.map((worker) => work(t, worker, () => isOver))]);
	await hull.kill9();
	await hull.start();

	const name = Number(member(await json(rest, `/api/v1/users/${String(member(someone.body, 'id'))}`), 'full_name'));
	t.is(name, counted.confirmed, 'the newest change that was confirmed stands');
	const open = await listOf(rest, `${ALERTS}?limit=200`);
	t.deepEqual(
		open.filter((alert) => acknowledged.includes(String(member(alert, 'id')))),
		[],
		'what was acknowledged stays so',
	);
	t.log(`${hull.role}: ${acknowledged.length} alerts acknowledged, ${counted.confirmed} changes of one user`);
	return workers;
}

type InsistOn = (path: string, body: object, method?: string) => Promise<Answer>;

const readers = (insistOn: InsistOn): Worker => ({
	name: 'reader',
	list: '/api/v1/mqtt/readers',
	field: 'name',
	outcome: newOutcome(),
	change: (mark) => insistOn('/api/v1/mqtt/readers', { name: mark }),
});

/** Gateways that enrol, each with a code of its own, and again with the same code until they have heard the answer. */
const gateways = (hull: HullProcess, insistOn: InsistOn): Worker => ({
	name: 'gateway',
	list: '/api/v1/gateways',
	field: 'name',
	outcome: newOutcome(),
	async change(mark) {
		const answer = await insistOn('/api/v1/gateways/enrolment-codes', {});
		const code = member(answer.body, 'code');
		if (answer.status >= 300 || typeof code !== 'string') return answer;
		const request = { gatewayId: gatewayId(randomUUID()), name: mark, code };
		await waitFor(`${mark} is enrolled`, ANSWERED_WITHIN_MS, () => enrolWithHub({ ...request, hubUrl: hull.url() }));
		return { status: 200, body: {} };
	},
});

test.serial('records that were confirmed survive kills at any moment, once each', async (t) => {
	t.timeout(600_000);
	const random = createRandom(systemSeeds([579_031])[0]);
	t.log(`seed ${random.seed}`);
	const stage = createStage(t);
	const hulls = [await stage.spawnGateway({ devices: [] }), await stage.spawnHub()];
	await Promise.all(
		hulls.map(async (hull) => {
			const rest = await claim(hull.url(), await hull.claimCode());
			const workers = await survive(t, hull, rest, random);
			for (const { name, list, field, outcome } of workers) {
				const found = (await listOf(rest, list)).map((one) => String(member(one, field)));
				const timesOf = (mark: string): number => found.filter((one) => one === mark).length;
				t.deepEqual(
					outcome.confirmed.filter((mark) => timesOf(mark) !== 1),
					[],
					`${name}: confirmed, so there once`,
				);
				t.deepEqual(
					outcome.unknown.filter((mark) => timesOf(mark) > 1),
					[],
					`${name}: not known, so there once at most`,
				);
				t.true(outcome.confirmed.length > 0, name);
				t.log(`${hull.role} ${name}: ${outcome.confirmed.length} confirmed, ${outcome.unknown.length} not known`);
			}
			await assertAudited(t, rest, workers);
			t.is((await login(hull.url())).token === null, false);
		}),
	);
});
