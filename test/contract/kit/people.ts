import type { Role } from '../../../core/identity/role.ts';
import { member } from '../../system/kit/rest.ts';
import type { Box } from './box.ts';
import { type Answer, send } from './http-client.ts';

/** Somebody with a valid access token. */
export interface Person {
	readonly id: string;
	readonly email: string;
	readonly password: string;
	readonly role: Role;
	readonly accessToken: string;
	readonly refreshToken: string;
}

/** The people of a box: its first administrator and one of every level, each made by the API itself. */
export interface People {
	readonly administrator: Person;
	/** The same person each time. */
	of(role: Role): Promise<Person>;
	/** Another person of the level. */
	another(role: Role): Promise<Person>;
	/** A new login of the person. */
	login(person: Pick<Person, 'email' | 'password' | 'role'>): Promise<Person>;
}

const PASSWORD = 'grey heron over the weir';

let addresses = 0;

/** A loopback address that nobody has called from yet: limits of logins are per address. */
export function freshAddress(): string {
	addresses += 1;
	return `127.${1 + (process.pid % 200)}.${Math.floor(addresses / 250)}.${1 + (addresses % 250)}`;
}

const post = (box: Box, path: string, body: object, token?: string): Promise<Answer> =>
	send(box.httpPort, {
		method: 'POST',
		path: `/api/v1${path}`,
		headers: {
			'content-type': 'application/json',
			...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
		},
		payload: JSON.stringify(body),
		from: freshAddress(),
	});

function textOf({ status, text, body }: Answer, name: string): string {
	const value = member(body, name);
	if (status >= 300 || typeof value !== 'string') throw new Error(`no ${name} in ${status} ${text}`);
	return value;
}

/** Claims the box. */
export async function openPeople(box: Box): Promise<People> {
	const known = new Map<Role, Promise<Person>>();
	let made = 0;

	async function withTokens(answer: Answer, person: Pick<Person, 'email' | 'password' | 'role'>): Promise<Person> {
		const accessToken = textOf(answer, 'access_token');
		const me = await send(box.httpPort, {
			method: 'GET',
			path: '/api/v1/users/me',
			headers: { authorization: `Bearer ${accessToken}` },
			from: freshAddress(),
		});
		return { ...person, id: textOf(me, 'id'), accessToken, refreshToken: textOf(answer, 'refresh_token') };
	}

	const login: People['login'] = async ({ email, password, role }) =>
		withTokens(await post(box, '/auth/login', { email, password }), { email, password, role });

	const claim = { email: 'installer@example.com', password: PASSWORD, full_name: 'Installer' };
	const claimed = await post(box, '/setup/claim', { claim_code: box.claimCode, ...claim });
	const first = { ...claim, role: 'superadmin' } as const;
	const administrator = await withTokens(claimed, { email: first.email, password: first.password, role: first.role });
	/** Made when first asked for: the tokens of the claim may have expired by then. */
	let chief: Promise<Person> | null = null;

	async function another(role: Role): Promise<Person> {
		made += 1;
		const body = { email: `${role}-${made}@example.com`, password: PASSWORD, role, full_name: `${role} ${made}` };
		chief ??= login(administrator);
		textOf(await post(box, '/users', body, (await chief).accessToken), 'id');
		return login(body);
	}

	function ofRole(role: Role): Promise<Person> {
		if (role === 'superadmin') return (chief ??= login(administrator));
		return another(role);
	}

	return {
		administrator,
		login,
		another,
		of(role) {
			const person = known.get(role) ?? ofRole(role);
			known.set(role, person);
			return person;
		},
	};
}
