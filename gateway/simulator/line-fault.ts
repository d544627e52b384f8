import type { LineRequest, SlaveFraming } from './slave-framing.ts';

/** What goes wrong with one answer. Times in ms. */
export type LineFault =
	/** The answer comes this much later. */
	| { readonly kind: 'late'; readonly delayMs: number }
	/** No answer. */
	| { readonly kind: 'silent' }
	/** The CRC, the LRC or the protocol id is wrong. */
	| { readonly kind: 'wrong-check' }
	/** Only the first bytes come. */
	| { readonly kind: 'truncated'; readonly bytes: number }
	/** The answer comes in pieces of these sizes, with a pause between them; the rest is the last piece. */
	| { readonly kind: 'split'; readonly sizes: readonly number[]; readonly pauseMs: number }
	/** One byte at a time. */
	| { readonly kind: 'slow'; readonly pauseMs: number }
	| { readonly kind: 'exception'; readonly code: number }
	/** A frame of another conversation comes before the answer. */
	| { readonly kind: 'foreign'; readonly bytes: Buffer | null }
	/** Bytes that mean nothing come before the answer. */
	| { readonly kind: 'noise'; readonly bytes: Buffer }
	/** The request comes back before the answer, as from an adapter that hears itself. */
	| { readonly kind: 'echo' }
	/** The answer comes twice. */
	| { readonly kind: 'duplicate'; readonly pauseMs: number }
	| { readonly kind: 'wrong-unit' }
	| { readonly kind: 'wrong-function' }
	/** Modbus TCP only. */
	| { readonly kind: 'wrong-transaction' }
	/** The connection is reset; TCP only. */
	| { readonly kind: 'reset' };

/** One thing a line does. Instants count from the request, ms. */
export type Deed =
	| { readonly afterMs: number; readonly bytes: Buffer }
	| { readonly afterMs: number; readonly bytes: null };

/** Where the answer to a request would go, and what it would be. */
export interface Answering {
	readonly framing: SlaveFraming;
	readonly request: LineRequest;
	/** PDU of the sound answer. */
	readonly pdu: Buffer;
	/** When it would leave. */
	readonly afterMs: number;
}

const EXCEPTION_BIT = 0x80;

const frameOf = ({ framing, request }: Answering, changes: Partial<LineRequest>): Buffer =>
	framing.frame({ ...request, ...changes });

/** What another master reads from another unit: two registers. */
const foreignFrame = (answering: Answering): Buffer =>
	frameOf(answering, {
		unitId: (answering.request.unitId % 247) + 1,
		pdu: Buffer.from([3, 4, 0x12, 0x34, 0x56, 0x78]),
		transaction: (answering.request.transaction + 0x4000) & 0xffff,
	});

function pieces(bytes: Buffer, sizes: readonly number[], pauseMs: number, afterMs: number): readonly Deed[] {
	const deeds: Deed[] = [];
	let start = 0;
	for (const size of [...sizes, bytes.length]) {
		if (start >= bytes.length) break;
		deeds.push({ afterMs: afterMs + deeds.length * pauseMs, bytes: bytes.subarray(start, start + size) });
		start += size;
	}
	return deeds;
}

type Work<F extends LineFault> = (fault: F, answering: Answering, good: Buffer) => readonly Deed[];

const at = (afterMs: number, ...parts: readonly Buffer[]): readonly Deed[] => [
	{ afterMs, bytes: Buffer.concat(parts) },
];

const works: { readonly [Kind in LineFault['kind']]: Work<Extract<LineFault, { readonly kind: Kind }>> } = {
	late: ({ delayMs }, { afterMs }, good) => at(afterMs + delayMs, good),
	silent: () => [],
	'wrong-check': (_fault, { framing, afterMs }, good) => at(afterMs, framing.spoil(good)),
	truncated: ({ bytes }, { afterMs }, good) => at(afterMs, good.subarray(0, Math.min(bytes, good.length - 1))),
	split: ({ sizes, pauseMs }, { afterMs }, good) => pieces(good, sizes, pauseMs, afterMs),
	slow: ({ pauseMs }, { afterMs }, good) => pieces(good, Array(good.length).fill(1), pauseMs, afterMs),
	exception: ({ code }, answering) =>
		at(
			answering.afterMs,
			frameOf(answering, { pdu: Buffer.from([(answering.request.pdu[0] ?? 0) | EXCEPTION_BIT, code]) }),
		),
	foreign: ({ bytes }, answering, good) => [
		...at(answering.afterMs, bytes ?? foreignFrame(answering)),
		...at(answering.afterMs, good),
	],
	noise: ({ bytes }, { afterMs }, good) => at(afterMs, bytes, good),
	echo: (_fault, answering, good) => [...at(0, frameOf(answering, {})), ...at(answering.afterMs, good)],
	duplicate: ({ pauseMs }, { afterMs }, good) => [...at(afterMs, good), ...at(afterMs + pauseMs, good)],
	'wrong-unit': (_fault, answering) =>
		at(answering.afterMs, frameOf(answering, { pdu: answering.pdu, unitId: (answering.request.unitId + 1) & 0xff })),
	'wrong-function': (_fault, answering) =>
		at(
			answering.afterMs,
			frameOf(answering, { pdu: Buffer.from([(answering.pdu[0] ?? 0) ^ 0x07, ...answering.pdu.subarray(1)]) }),
		),
	'wrong-transaction': (_fault, answering) =>
		at(
			answering.afterMs,
			frameOf(answering, { pdu: answering.pdu, transaction: (answering.request.transaction + 7) & 0xffff }),
		),
	reset: (_fault, { afterMs }) => [{ afterMs, bytes: null }],
};

/** What a line does about one request: the sound answer, or what the fault makes of it. */
export function deedsOf(fault: LineFault | null, answering: Answering): readonly Deed[] {
	const good = frameOf(answering, { pdu: answering.pdu });
	if (fault === null) return at(answering.afterMs, good);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table has the function of each kind under its name
	const work = works[fault.kind] as Work<LineFault>;
	return work(fault, answering, good);
}
