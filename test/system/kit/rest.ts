/** What a REST call brought. */
export interface RestAnswer {
	readonly status: number;
	/** The JSON of the body; null when it has none. */
	readonly body: unknown;
	/** Where a list goes on; null at its end. */
	readonly nextCursor: string | null;
}

/** REST of one hull, as one user. */
export interface Rest {
	/** Base address without a slash at the end. */
	readonly url: string;
	/** Access token of the user; null before the login. */
	readonly token: string | null;
	get(path: string): Promise<RestAnswer>;
	post(path: string, payload: object): Promise<RestAnswer>;
	patch(path: string, payload: object): Promise<RestAnswer>;
	delete(path: string): Promise<RestAnswer>;
}

const ANSWER_WITHIN_MS = 30_000;

/** The administrator that tests claim with. */
export const ADMINISTRATOR = {
	email: 'installer@example.com',
	password: 'correct horse battery',
	full_name: 'Installer',
};

/** The member of a JSON object; undefined when it is none or has no such member. */
export function member(json: unknown, name: string): unknown {
	if (typeof json !== 'object' || json === null) return undefined;
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an object from JSON has text keys
	return (json as Readonly<Record<string, unknown>>)[name];
}

export function createRest(url: string, token: string | null): Rest {
	async function call(method: string, path: string, payload?: object): Promise<RestAnswer> {
		const response = await fetch(`${url}${path}`, {
			method,
			headers: {
				...(token === null ? {} : { authorization: `Bearer ${token}` }),
				...(payload === undefined ? {} : { 'content-type': 'application/json' }),
			},
			signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
			...(payload === undefined ? {} : { body: JSON.stringify(payload) }),
		});
		const text = await response.text();
		const isJson = response.headers.get('content-type')?.includes('json') ?? false;
		return {
			status: response.status,
			body: isJson ? JSON.parse(text) : null,
			nextCursor: response.headers.get('x-next-cursor'),
		};
	}
	return {
		url,
		token,
		get: (path) => call('GET', path),
		post: (path, payload) => call('POST', path, payload),
		patch: (path, payload) => call('PATCH', path, payload),
		delete: (path) => call('DELETE', path),
	};
}

function loggedIn(url: string, what: string, { status, body }: RestAnswer): Rest {
	const token = member(body, 'access_token');
	if (status >= 300 || typeof token !== 'string')
		throw new Error(`${what} at ${url} failed with ${status}: ${JSON.stringify(body)}`);
	return createRest(url, token);
}

/** Makes the first administrator with the claim code and returns REST as that user. */
export async function claim(url: string, claimCode: string): Promise<Rest> {
	const answer = await createRest(url, null).post('/api/v1/setup/claim', { claim_code: claimCode, ...ADMINISTRATOR });
	return loggedIn(url, 'claim', answer);
}

/** REST as the administrator of an appliance that is already claimed. */
export async function login(url: string): Promise<Rest> {
	const { email, password } = ADMINISTRATOR;
	const answer = await createRest(url, null).post('/api/v1/auth/login', { email, password });
	return loggedIn(url, 'login', answer);
}
