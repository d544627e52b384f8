import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';

import { createRandom } from '../../system/kit/random.ts';
import { isTree, type Tree } from '../kit/document.ts';
import { createRequestMaker, type FuzzRequest } from './request-maker.ts';
import { createValueMaker } from './value-maker.ts';

export interface FuzzTarget {
	readonly port: number;
	readonly pid: number;
	/** Access token of somebody who may do everything. */
	readonly token: string;
	readonly document: Tree;
}

export interface FuzzOptions {
	readonly seed: number;
	readonly requests: number;
	/** Requests under way at a time. */
	readonly parallel: number;
	/** An answer that takes longer is a hang. */
	readonly withinMs: number;
}

export interface FuzzReport {
	readonly byStatus: Readonly<Record<string, number>>;
	/** Requests that were answered with 500 or more, or not at all, or by something that is no JSON; at most 20. */
	readonly failures: readonly string[];
	readonly slowestMs: number;
	readonly seconds: number;
	/** Memory of the process, MiB, sampled twenty times on the way. */
	readonly rssMiB: readonly number[];
	/** Operations that were called, and those of them that succeeded at least once. */
	readonly operations: number;
	readonly succeeded: number;
}

const SAMPLES = 20;
const MAX_FAILURES = 20;

/** Memory that the process holds, MiB. */
function rssOf(pid: number): number {
	const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
	return Math.round(Number(kib ?? 0) / 1_024);
}

interface Answer {
	/** 0: none. */
	readonly status: number;
	readonly text: string;
}

function send(
	agent: Agent,
	port: number,
	{ method, path, headers, body }: FuzzRequest,
	withinMs: number,
): Promise<Answer> {
	return new Promise((resolve) => {
		const length = body === null ? {} : { 'content-length': String(body.length) };
		const outgoing = request({ host: '127.0.0.1', port, agent, method, path, headers: { ...headers, ...length } });
		const done = (answer: Answer): void => {
			clearTimeout(patience);
			resolve(answer);
		};
		const patience = setTimeout(() => {
			done({ status: 0, text: `no answer within ${withinMs} ms` });
			outgoing.destroy();
		}, withinMs);
		outgoing.on('error', (error: Error) => done({ status: 0, text: error.message }));
		outgoing.on('response', (incoming) => {
			let text = '';
			incoming.setEncoding('utf8');
			incoming.on('data', (piece: string) => (text += piece));
			incoming.on('error', (error: Error) => done({ status: 0, text: error.message }));
			incoming.on('end', () => done({ status: incoming.statusCode ?? 0, text }));
		});
		outgoing.end(body === null ? undefined : new Uint8Array(body));
	});
}

/** What is wrong with an answer; null: nothing. An upstream that cannot be reached (502) is no fault of the server. */
function faultOf({ status, text }: Answer, method: string): string | null {
	if (status === 0) return text;
	if (status >= 500 && status !== 502 && status !== 503) return `${status} ${text.slice(0, 200)}`;
	if (status < 400 || method === 'HEAD') return null;
	try {
		const body: unknown = JSON.parse(text);
		return isTree(body) && body['success'] === false ? null : `${status} has no error body: ${text.slice(0, 200)}`;
	} catch {
		return `${status} is no JSON: ${text.slice(0, 200)}`;
	}
}

/** The identity in a success, for later requests. */
function idIn(text: string): string | null {
	const found = /"(?:id|device_uid|name)":"([^"\\]{1,64})"/.exec(text.slice(0, 2_000));
	return found?.[1] ?? null;
}

function describe({ operationId, method, path, headers, body }: FuzzRequest, fault: string): string {
	const { authorization = 'none', ...others } = headers;
	const shown = [path, JSON.stringify(others), body?.toString() ?? ''].map((text) => text.slice(0, 200));
	return `${operationId}: ${method} ${shown.join(' ')} (${authorization.length} characters of token) -> ${fault}`;
}

/** Sends generated requests of one seed over a few connections that are kept alive. */
export async function runFuzz(
	target: FuzzTarget,
	{ seed, requests, parallel, withinMs }: FuzzOptions,
): Promise<FuzzReport> {
	const random = createRandom(seed);
	const make = createValueMaker(target.document, random);
	const next = createRequestMaker(target.document, make, target.token);
	const agent = new Agent({ keepAlive: true, maxSockets: parallel });
	const byStatus: Record<string, number> = {};
	const failures: string[] = [];
	const rssMiB: number[] = [rssOf(target.pid)];
	const called = new Set<string>();
	const succeeded = new Set<string>();
	const startedMs = performance.now();
	let slowestMs = 0;
	let sent = 0;

	async function one(): Promise<void> {
		const wanted = next();
		const beganMs = performance.now();
		let answer = await send(agent, target.port, wanted, withinMs);
		// A connection that the server had closed just then is asked again on another one.
		if (answer.status === 0 && /ECONNRESET|socket hang up|EPIPE/.test(answer.text))
			answer = await send(agent, target.port, wanted, withinMs);
		slowestMs = Math.max(slowestMs, performance.now() - beganMs);
		byStatus[answer.status] = (byStatus[answer.status] ?? 0) + 1;
		called.add(wanted.operationId);
		const fault = faultOf(answer, wanted.method);
		if (fault !== null && failures.length < MAX_FAILURES) failures.push(describe(wanted, fault));
		if (answer.status < 200 || answer.status >= 300) return;
		succeeded.add(wanted.operationId);
		const id = idIn(answer.text);
		if (id !== null) make.remember(id);
	}

	async function worker(): Promise<void> {
		while (sent < requests && failures.length < MAX_FAILURES) {
			sent += 1;
			if (sent % Math.ceil(requests / SAMPLES) === 0) rssMiB.push(rssOf(target.pid));
			await one();
		}
	}

	try {
		await Promise.all(Array.from({ length: parallel }, worker));
	} finally {
		agent.destroy();
	}
	return {
		byStatus,
		failures,
		slowestMs: Math.round(slowestMs),
		seconds: Math.round((performance.now() - startedMs) / 100) / 10,
		rssMiB,
		operations: called.size,
		succeeded: succeeded.size,
	};
}
