import { randomUUID } from 'node:crypto';
import { IncomingMessage, type Server, ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

import { SECURITY_HEADERS } from './answer-headers.ts';
import { errorBody } from './dialect.ts';
import { ofStatus } from './fault-responses.ts';

/** What the parser of the platform refuses, by its code. Everything else is a request that is no HTTP. */
const STATUS_OF_PARSER: Readonly<Record<string, number>> = {
	HPE_HEADER_OVERFLOW: 431,
	HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
	ERR_HTTP_REQUEST_TIMEOUT: 408,
};

const MALFORMED = { code: 'VALIDATION_ERROR', detail: 'this is no valid HTTP request' };

/** Longest part of a broken request that is searched for its path. */
const MAX_LINE_LENGTH = 1_024;

const REQUEST_LINE = /^[A-Z]{1,20} (\/[^ ?]{0,1000})/;

/** The answer that the connection is about to give; `null` between two requests. */
function answerOf(socket: Duplex): ServerResponse | null {
	const answer: unknown = Reflect.get(socket, '_httpMessage');
	return answer instanceof ServerResponse ? answer : null;
}

/** The path of a request that could not be read, so that it is answered in the words of its family. */
function pathOf(error: Error, socket: Duplex): string {
	const request: unknown = answerOf(socket)?.req;
	if (request instanceof IncomingMessage) return request.url ?? '/';
	const packet: unknown = 'rawPacket' in error ? error.rawPacket : null;
	const line = Buffer.isBuffer(packet) ? packet.toString('latin1', 0, MAX_LINE_LENGTH) : '';
	return REQUEST_LINE.exec(line)?.[1] ?? '/';
}

function headersOf(body: string): Readonly<Record<string, string>> {
	return {
		...SECURITY_HEADERS,
		'content-type': 'application/json; charset=utf-8',
		'content-length': String(Buffer.byteLength(body)),
		'cache-control': 'no-store',
		'x-request-id': randomUUID(),
		connection: 'close',
	};
}

const bodyOf = (status: number, path: string): string =>
	JSON.stringify(errorBody(path, { status, errors: [], ...(ofStatus[status] ?? MALFORMED) }));

function writeAnswer(socket: Duplex, status: number, path: string, more: Readonly<Record<string, string>> = {}): void {
	const body = bodyOf(status, path);
	const head = Object.entries({ ...headersOf(body), ...more }).map(([name, value]) => `${name}: ${value}\r\n`);
	socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head.join('')}\r\n${body}`);
}

function refuseClient(error: Error, socket: Duplex): void {
	const code = 'code' in error ? String(error.code) : '';
	// Nothing may be written into another answer.
	const isAnswering = answerOf(socket)?.headersSent === true;
	if (code === 'ECONNRESET' || !socket.writable || isAnswering) socket.destroy();
	else writeAnswer(socket, STATUS_OF_PARSER[code] ?? 400, pathOf(error, socket));
}

/**
 * Answers what never becomes a request of the framework - broken HTTP, headers too long or too slow, CONNECT, an `Expect` that nobody
 * knows - in the form of every other error. Replaces the framework's own answer, which has neither body nor headers.
 */
export function answerRaw(listener: Server): void {
	listener.removeAllListeners('clientError');
	listener.on('clientError', refuseClient);
	listener.on('connect', (request: IncomingMessage, socket: Duplex) => {
		socket.on('error', () => socket.destroy());
		writeAnswer(socket, 405, request.url ?? '/', { allow: '' });
	});
	listener.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
		const body = bodyOf(417, request.url ?? '/');
		response.writeHead(417, headersOf(body)).end(body);
	});
}
