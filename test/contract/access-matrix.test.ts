import type { RequestRoute } from '@hapi/hapi';
import test from 'ava';

import { TOKEN_STRATEGY } from '../../core/http/access.ts';
import { PERMISSIONS_OF } from '../../core/identity/permission.ts';
import { type Actor, ROLES } from '../../core/identity/role.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { userIdOf } from '../fake/bare-server.ts';
import { type Box, type HullRole, startBox } from './kit/box.ts';
import { isTree } from './kit/document.ts';

const HULLS: readonly HullRole[] = ['gateway', 'hub'];
const CALLERS = ['anonymous', ...ROLES] as const;
type Caller = (typeof CALLERS)[number];

/** Many calls of one account and one address. */
const UNLIMITED = { DRAWBRIDGE_HTTP_REQUESTS_PER_SECOND: '100000' };

/** The id of nothing. */
const NOTHING = 'cc000000-0000-4000-8000-000000000001';
const OWNED = 'owned-by-user';
const FOREIGN = 'owned-by-nobody';

const nameOf = ({ method, path }: RequestRoute): string => `${method.toUpperCase()} ${path}`;

/** Records of a path by the names of their parameters; all others are those of nothing. */
type Records = Readonly<Record<string, string>>;

const urlOf = ({ path }: RequestRoute, records: Records): string =>
	path.replaceAll(/\{(\w+)[^}]*\}/g, (_, name: string) => records[name] ?? NOTHING);

const asActor = (actor: Actor) => ({ auth: { strategy: TOKEN_STRATEGY, credentials: { user: { actor } } } });

interface Verdict {
	readonly isAllowed: boolean;
	readonly answer: string;
}

/** Calls a route; denied is 401 or 403, whatever else it answers to a body that fits nothing. */
async function call({ server }: Box, route: RequestRoute, actor: Actor | null): Promise<Verdict> {
	const hasBody = ['post', 'put', 'patch'].includes(route.method);
	const [allow] = [route.settings.payload?.allow].flat();
	const { statusCode, payload } = await server.inject({
		method: route.method,
		url: urlOf(route, {}),
		...(hasBody && { payload: {} }),
		...(hasBody && allow !== undefined && { headers: { 'content-type': allow } }),
		...(actor !== null && asActor(actor)),
	});
	return { isAllowed: statusCode !== 401 && statusCode !== 403, answer: `${statusCode} ${payload.slice(0, 120)}` };
}

/** What the permission table says of a caller at a route, before anybody's ownership. */
function isPermitted(route: RequestRoute, caller: Caller): boolean {
	const { access } = route.settings.app ?? {};
	if (access === undefined) throw new Error(`${nameOf(route)} has no rule`);
	if (access === 'public') return true;
	if (caller === 'anonymous') return false;
	return access === 'authenticated' || PERMISSIONS_OF[caller].has(access);
}

/** Public routes that ask for something else than an access token: it is in the body, in a cookie, or it is the place of the caller. */
const ASKS_FOR_ANOTHER_PROOF: ReadonlySet<string> = new Set([
	'POST /api/v1/auth/refresh',
	'POST /api/v1/auth/logout',
	'GET /metrics',
]);

/** The routes of the API itself: what serves the pages is for everybody, and changes nothing. */
const routesOf = ({ server }: Box): readonly RequestRoute[] => server.table().filter(({ path }) => path !== '/{path*}');

function lineOf(route: RequestRoute, marks: readonly boolean[]): string {
	const { access = '', ownerOr } = route.settings.app ?? {};
	const rule = ownerOr === undefined ? access : `owner or ${ownerOr}`;
	return [nameOf(route).padEnd(58), rule.padEnd(28), ...marks.map((mark) => (mark ? '  ✓ ' : '  · '))].join('');
}

/** Bodies that the schemas take, so that the question of ownership is reached. */
const FIT_BODIES: Readonly<Record<string, object | undefined>> = {
	createTelemetry: { telemetry_type: 'env', payload: { t: 1 } },
	createCommand: { command_name: 'restart' },
	updateCommand: { status: 'failed' },
};

interface Ownership {
	readonly accountId: string;
	/** Records that belong to the account. */
	readonly own: Records;
	/** Records that belong to nobody, or to somebody else. */
	readonly foreign: Records;
}

const idIn = (text: string): string => {
	const body: unknown = JSON.parse(text);
	return isTree(body) ? String(body['id']) : '';
};

const device = (uid: string) => ({ name: uid, device_uid: uid, device_type: 'meter' });

/** Claims the box and makes records of its first account, and of others. */
async function makeRecords({ server, claimCode }: Box): Promise<Ownership> {
	const person = { email: 'a@example.com', password: 'grey heron over the weir' };
	const claimed = await server.inject({
		method: 'POST',
		url: '/api/v1/setup/claim',
		payload: { claim_code: claimCode, ...person },
	});
	const tokens: unknown = JSON.parse(claimed.payload);
	const headers = { authorization: `Bearer ${isTree(tokens) ? String(tokens['access_token']) : ''}` };
	const accountId = idIn((await server.inject({ url: '/api/v1/users/me', headers })).payload);
	async function make(url: string, payload: object): Promise<string> {
		const made = await server.inject({ method: 'POST', url, payload, headers });
		if (made.statusCode !== 201) throw new Error(made.payload);
		return idIn(made.payload);
	}
	const own = await make('/api/v1/devices', device(OWNED));
	const foreign = await make('/api/v1/devices', { ...device(FOREIGN), owner_id: null });
	const other = await make('/api/v1/users', { ...person, email: 'b@example.com', role: 'user' });
	return {
		accountId,
		own: { device_id: own, user_id: accountId },
		foreign: { device_id: foreign, user_id: other },
	};
}

/** Whether the caller gets past the question of ownership: the device exists for it, and it may. */
async function isLetIn(box: Box, route: RequestRoute, actor: Actor, records: Records): Promise<Verdict> {
	const body = FIT_BODIES[route.settings.app?.api?.operationId ?? ''];
	if (body === undefined && route.method !== 'get') throw new Error(`${nameOf(route)} needs a body in this test`);
	const { statusCode, payload } = await box.server.inject({
		method: route.method,
		url: urlOf(route, records),
		...(body !== undefined && { payload: body }),
		...asActor(actor),
	});
	const isHidden = statusCode === 404 && Object.values(records).some((id) => payload.includes(id));
	return { isAllowed: statusCode !== 403 && !isHidden, answer: `${statusCode} ${payload.slice(0, 120)}` };
}

for (const role of HULLS) {
	test(`each route of a ${role} lets in whom the permission table lets in, and nobody else`, async (t) => {
		const box = await startBox(role, { environment: UNLIMITED });
		t.teardown(() => box.stop());
		// One account, whose level is another with each call: some routes look their caller up.
		const { accountId } = await makeRecords(box);
		const lines = [''.padEnd(86) + CALLERS.map((caller) => caller.slice(0, 4)).join('')];
		for (const route of routesOf(box)) {
			const marks: boolean[] = [];
			for (const caller of CALLERS) {
				const actor = caller === 'anonymous' ? null : actorOfRole(caller, accountId);
				const { isAllowed, answer } = await call(box, route, actor);
				marks.push(isAllowed);
				// Of routes that ask for the owner, the next test tells; here nobody owns anything.
				const isOpen = ASKS_FOR_ANOTHER_PROOF.has(nameOf(route)) || (actor !== null && route.settings.app?.ownerOr);
				if (!isOpen) t.is(isAllowed, isPermitted(route, caller), `${nameOf(route)} as ${caller}: ${answer}`);
				t.false(answer.startsWith('500'), `${nameOf(route)} as ${caller}: ${answer}`);
			}
			lines.push(lineOf(route, marks));
		}
		t.log(lines.join('\n'));
	});

	test(`where a ${role} asks for the owner or a permission, it is one of the two`, async (t) => {
		const box = await startBox(role, { environment: UNLIMITED });
		t.teardown(() => box.stop());
		const { accountId, own, foreign } = await makeRecords(box);
		const routes = routesOf(box).filter(({ settings }) => settings.app?.ownerOr !== undefined);
		t.true(routes.length > 0);
		for (const route of routes) {
			const permission = route.settings.app?.ownerOr ?? 'system:configure';
			const asOwner = await isLetIn(box, route, actorOfRole('user', accountId), own);
			t.true(asOwner.isAllowed, `${nameOf(route)} as the owner: ${asOwner.answer}`);
			for (const caller of ROLES) {
				const { isAllowed, answer } = await isLetIn(box, route, actorOfRole(caller, userIdOf(caller)), foreign);
				t.is(isAllowed, PERMISSIONS_OF[caller].has(permission), `${nameOf(route)} as ${caller}: ${answer}`);
			}
		}
	});
}
