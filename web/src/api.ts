/** Longest wait for an answer of the API. */
const TIMEOUT_MS = 10_000;
/** Longest time for a file, or a part of one. */
const FILE_TIMEOUT_MS = 600_000;

/** The server answered, and refused. */
export class ApiError extends Error {
	override readonly name = 'ApiError';

	readonly status: number;
	readonly code: string;
	/** Sentence by field, e.g. `connection.line.host`; empty unless the input was at fault. */
	readonly fields: Readonly<Record<string, string>>;
	/** Seconds to wait before the next try, when the server said so. */
	readonly retryAfterS: number | null;

	constructor(answer: Omit<ApiError, 'name' | 'stack' | 'cause'>) {
		super(answer.message);
		this.status = answer.status;
		this.code = answer.code;
		this.fields = answer.fields;
		this.retryAfterS = answer.retryAfterS;
	}
}

interface ErrorBody {
	readonly detail?: unknown;
	readonly error_code?: unknown;
	readonly errors?: unknown;
}

/** `loc` names the part of the request first; a form knows only the body. */
const REQUEST_PARTS: ReadonlySet<unknown> = new Set(['body', 'payload']);

function fieldErrors(errors: unknown): Record<string, string> {
	const fields: Record<string, string> = {};
	if (!Array.isArray(errors)) return fields;
	for (const entry of errors as readonly { readonly loc?: unknown; readonly msg?: unknown }[]) {
		if (!Array.isArray(entry.loc) || typeof entry.msg !== 'string') continue;
		const path = REQUEST_PARTS.has(entry.loc[0]) ? entry.loc.slice(1) : entry.loc;
		fields[path.join('.')] ??= entry.msg;
	}
	return fields;
}

async function errorOf(response: Response): Promise<ApiError> {
	const body = await response.json().then(
		(value: ErrorBody | null) => value ?? {},
		(): ErrorBody => ({}),
	);
	const retryAfterS = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
	return new ApiError({
		status: response.status,
		code: typeof body.error_code === 'string' ? body.error_code : '',
		message: typeof body.detail === 'string' ? body.detail : `${response.status} ${response.statusText}`,
		fields: fieldErrors(body.errors),
		retryAfterS: Number.isNaN(retryAfterS) ? null : retryAfterS,
	});
}

export interface RequestOptions {
	readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	/** Sent as JSON; bytes as they are. */
	readonly body?: unknown;
	readonly token?: string | null;
	/** The answer is a file. */
	readonly isFile?: boolean;
	/** Ends the wait for the answer. */
	readonly signal?: AbortSignal;
	/** State of what the person has seen: its checksum or ETag; refused when it is another one by now. */
	readonly ifMatch?: string | undefined;
}

/**
 * One exchange with the server this page came from.
 * @throws ApiError when the server refuses; any other error means that it was not reached.
 */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
	return (await exchange<T>(path, options)).body;
}

interface Answer<T> {
	readonly body: T;
	readonly headers: Headers;
}

function answerOf(response: Response, isFile: boolean): Promise<unknown> | null {
	if (response.status === 204) return null;
	return isFile ? response.blob() : response.json();
}

function headersOf({ body, token, isFile, ifMatch }: RequestOptions): Headers {
	const headers = new Headers({ accept: isFile === true ? '*/*' : 'application/json' });
	const type = body instanceof Blob ? 'application/octet-stream' : 'application/json';
	if (body !== undefined) headers.set('content-type', type);
	if (typeof token === 'string') headers.set('authorization', `Bearer ${token}`);
	if (ifMatch !== undefined) headers.set('if-match', `"${ifMatch}"`);
	return headers;
}

async function exchange<T>(path: string, options: RequestOptions): Promise<Answer<T>> {
	const { method = 'GET', body, signal, isFile } = options;
	const isBytes = body instanceof Blob;
	const timeout = AbortSignal.timeout(isFile === true || isBytes ? FILE_TIMEOUT_MS : TIMEOUT_MS);
	const response = await fetch(path, {
		method,
		headers: headersOf(options),
		credentials: 'same-origin',
		cache: 'no-store',
		signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
		...(body === undefined ? {} : { body: isBytes ? body : JSON.stringify(body) }),
	});
	if (!response.ok) throw await errorOf(response);
	const answer: unknown = await answerOf(response, isFile === true);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server validates its own answers
	return { body: answer as T, headers: response.headers };
}

export interface Api {
	readonly get: <T>(path: string) => Promise<T>;
	readonly post: <T>(path: string, body?: unknown) => Promise<T>;
	/** With what tells its state apart from a later one. */
	readonly document: <T>(path: string) => Promise<DocumentAnswer<T>>;
	readonly patch: <T>(path: string, body: unknown, ifMatch?: string) => Promise<T>;
	readonly put: <T>(path: string, body: unknown, ifMatch?: string) => Promise<T>;
	readonly remove: (path: string, ifMatch?: string) => Promise<void>;
	readonly file: (path: string) => Promise<Blob>;
	readonly putBytes: <T>(path: string, bytes: Blob) => Promise<T>;
	/** A part of a list that goes on by cursor. */
	readonly part: <T>(path: string) => Promise<ListPart<T>>;
}

export interface DocumentAnswer<T> {
	readonly body: T;
	/** Without its quotation marks; `undefined`: the server gave none. */
	readonly etag: string | undefined;
}

export interface ListPart<T> {
	readonly items: readonly T[];
	/** Where the list goes on; `null` at its end. */
	readonly next: string | null;
}

export interface ApiDeps {
	readonly token: () => string | null;
	/** Fetches a new access token; `false` when the person has to log in again. */
	readonly renew: () => Promise<boolean>;
	/** Aborted when the person logs out: nobody waits for what is still on its way. */
	readonly left: () => AbortSignal;
	/** Waits before a question is asked again that the server had no room for. */
	readonly pause: (seconds: number) => Promise<void>;
}

/** A question is asked so often while the server takes no more of them. */
const MOST_TRIES = 5;

/** A 401 that names a field is about what was typed there, e.g. an enrolment code. */
const isAboutToken = (error: unknown): boolean =>
	error instanceof ApiError && error.status === 401 && Object.keys(error.fields).length === 0;

/** The API as the logged-in person: an expired access token is renewed once, unseen. */
export function createApi({ token, renew, left, pause }: ApiDeps): Api {
	/** A question that changes nothing may wait and be asked again; whoever sends a form is told instead. */
	async function patiently<T>(path: string, options: RequestOptions, tries = 1): Promise<Answer<T>> {
		try {
			return await exchange<T>(path, { ...options, token: token(), signal: left() });
		} catch (error) {
			const isFull = error instanceof ApiError && error.status === 429 && options.method === undefined;
			if (!isFull || tries >= MOST_TRIES) throw error;
			await pause(error.retryAfterS ?? 1);
			return patiently<T>(path, options, tries + 1);
		}
	}

	async function call<T>(path: string, options: RequestOptions): Promise<Answer<T>> {
		try {
			return await patiently<T>(path, options);
		} catch (error) {
			if (!isAboutToken(error) || !(await renew())) throw error;
			return patiently<T>(path, options);
		}
	}

	async function bodyOf<T>(path: string, options: RequestOptions): Promise<T> {
		return (await call<T>(path, options)).body;
	}

	async function part<T>(path: string): Promise<ListPart<T>> {
		const { body, headers } = await call<readonly T[]>(path, {});
		return { items: body, next: headers.get('x-next-cursor') };
	}

	async function document<T>(path: string): Promise<DocumentAnswer<T>> {
		const { body, headers } = await call<T>(path, {});
		return { body, etag: /^"(.+)"$/.exec(headers.get('etag') ?? '')?.[1] };
	}

	return {
		get: (path) => bodyOf(path, {}),
		post: (path, body) => bodyOf(path, { method: 'POST', body }),
		document,
		patch: (path, body, ifMatch) => bodyOf(path, { method: 'PATCH', body, ifMatch }),
		put: (path, body, ifMatch) => bodyOf(path, { method: 'PUT', body, ifMatch }),
		file: (path) => bodyOf(path, { isFile: true }),
		putBytes: (path, bytes) => bodyOf(path, { method: 'PUT', body: bytes }),
		remove: (path, ifMatch) => bodyOf(path, { method: 'DELETE', ifMatch }),
		part,
	};
}
