import test from 'ava';

import { member } from '../system/kit/rest.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import type { HullRole } from './kit/box.ts';
import { schemaAt } from './kit/conformance.ts';
import { readDocument } from './kit/document.ts';
import { openStage } from './kit/open-stage.ts';
import type { Stage } from './kit/stage.ts';

const document = readDocument('device-platform.openapi.yaml');
const userDifferences = schemaAt(document, '#/components/schemas/User');
const errorDifferences = schemaAt(document, '#/components/schemas/Error');
const commandDifferences = schemaAt(readDocument('telemetry-api.openapi.yaml'), '#/components/schemas/Command');
const rateLimited = schemaAt(document, '#/components/responses/RateLimited/content/application~1json/schema');

const EXPIRED_WITHIN_MS = 45_000;

/** The settings that are shipped; the other tests are open to registrations and patient. */
const SHIPPED = {
	DRAWBRIDGE_IDENTITY_REGISTRATION: 'closed',
	DRAWBRIDGE_HTTP_REQUESTS_PER_SECOND: '30',
};

/** More than a burst at the shipped limit lets through. */
const TOO_MANY = 200;

const opened = new Map<HullRole, Promise<Stage>>();

function stageOf(role: HullRole): Promise<Stage> {
	const known = opened.get(role) ?? openStage(role, { environment: SHIPPED });
	opened.set(role, known);
	return known;
}

test.after.always('the boxes end', async () => {
	for (const stage of opened.values()) await (await stage).box.stop();
});

for (const role of ['gateway', 'hub'] as const) {
	test.serial(`${role}: registration is closed as long as no setting opens it (D2)`, async (t) => {
		const stage = await stageOf(role);
		const body = { email: 'somebody@example.com', password: 'grey heron over the weir' };
		const answer = await stage.callAs('user', 'POST', '/auth/register', body);
		t.is(answer.status, 403);
		t.is(member(answer.body, 'error_code'), 'PERMISSION_DENIED');
		t.deepEqual(errorDifferences(answer.body), []);
	});

	test.serial(`${role}: users with a slash at the end are a bare array (R3)`, async (t) => {
		const stage = await stageOf(role);
		const { status, body } = await stage.callAs('admin', 'GET', '/users/');
		t.is(status, 200);
		t.true(Array.isArray(body));
		for (const user of Array.isArray(body) ? body : []) t.deepEqual(userDifferences(user), []);
	});

	test.serial(`${role}: an account that calls too much is told to wait, wherever it calls from`, async (t) => {
		const stage = await stageOf(role);
		const hasty = () => stage.callOnceAs('viewer', 'GET', '/users/me');
		await hasty();
		const letPass = stage.box.holdTime();
		const answers = await Promise.all(Array.from({ length: TOO_MANY }, hasty));
		letPass();
		const refused = answers.filter(({ status }) => status === 429);
		t.true(refused.length > 0);
		for (const answer of refused) {
			t.deepEqual(rateLimited(answer.body), []);
			t.regex(answer.header('retry-after') ?? '', /^[1-9]\d*$/);
		}
		t.is((await stage.callAs('manager', 'GET', '/users/me')).status, 200, 'somebody else is not held up');
	});

	test.serial(`${role}: a command whose time is over has failed, and says that it expired`, async (t) => {
		const stage = await stageOf(role);
		const device = await stage.newDevice(null);
		const path = `/devices/${device}/commands`;
		const made = await stage.callAs('manager', 'POST', path, { command_name: 'restart', ttl_seconds: 1 });
		const id = member(made.body, 'id');
		const body = await waitFor('the command is over', EXPIRED_WITHIN_MS, async () => {
			const { body: commands } = await stage.callAs('manager', 'GET', path);
			return member(member(commands, '0'), 'status') === 'pending' ? null : commands;
		});
		t.like(member(body, '0'), { id, status: 'failed' });
		t.deepEqual(commandDifferences(member(body, '0')), []);
		t.regex(String(member(member(body, '0'), 'error')), /expired/);
		const late = await stage.callAs('manager', 'PATCH', `${path}/${String(id)}`, { status: 'executed' });
		t.is(late.status, 409);
		t.is(member(late.body, 'error_code'), 'STATE_CONFLICT');
	});
}
