import { systemClock } from '../../../core/kernel/clock.ts';
import { deedsOf, type LineFault } from '../../../gateway/simulator/line-fault.ts';
import type { LineRequest, SlaveFraming } from '../../../gateway/simulator/slave-framing.ts';
import type { Responder } from '../../../gateway/simulator/slave-line.ts';
import { inOrder } from '../in-order.ts';

/** Longest delay of a late answer, as times of the timeout. */
const LATEST_TIMEOUTS = 10;
/** A device takes up to this long for a sound answer, ms. */
const USUAL_MS = 3;
/** Values below it fit into what unit and function leave of a register. */
export const ADDRESSES = 0x0800;

/** A register says where it is: address, unit (1 to 15) and table. */
export const placeWord = (unitId: number, functionCode: number, address: number): number =>
	address | (unitId << 12) | (functionCode === 4 ? ADDRESSES : 0);

/** Bytes of a Modbus TCP answer: after its transaction id, and before its data. */
const TCP_PROTOCOL_AT = 2;
const TCP_DATA_AT = 8;

const SILENT: LineFault = { kind: 'silent' };

/**
 * An answer under another unit or function than asked. On a serial line it is told from a right one because nobody has asked for it;
 * when it is late as well, behind another late answer, somebody has: nothing in it tells that it is not the answer to that.
 */
const isLie = (fault: LineFault | 'damaged' | null): boolean =>
	fault !== null && fault !== 'damaged' && (fault.kind === 'wrong-unit' || fault.kind === 'wrong-function');

/** What was done to answers, by kind. */
export type FaultCounts = Record<string, number>;

type Random = () => number;

interface FaultKind {
	/** Share of all answers. */
	readonly share: number;
	readonly fault: (random: Random, timeoutMs: number) => LineFault | 'damaged';
	/** Absent: on all lines. TCP loses no bytes between others, so an answer is cut short on serial lines only. */
	readonly only?: 'single' | 'tcp' | 'serial';
}

const kinds: readonly FaultKind[] = [
	{ share: 0.08, fault: (random, timeoutMs) => ({ kind: 'late', delayMs: random() * LATEST_TIMEOUTS * timeoutMs }) },
	{ share: 0.06, fault: () => ({ kind: 'silent' }) },
	{ share: 0.08, fault: () => 'damaged' },
	{ share: 0.04, fault: (random) => ({ kind: 'truncated', bytes: Math.floor(random() * 12) }), only: 'serial' },
	{
		share: 0.03,
		fault: (random) => ({ kind: 'split', sizes: [1 + Math.floor(random() * 4), 2], pauseMs: random() * 6 }),
	},
	{ share: 0.02, fault: () => ({ kind: 'duplicate', pauseMs: 0 }) },
	{ share: 0.02, fault: () => ({ kind: 'foreign', bytes: null }) },
	{ share: 0.02, fault: () => ({ kind: 'exception', code: 6 }) },
	{ share: 0.02, fault: () => ({ kind: 'wrong-unit' }) },
	{ share: 0.01, fault: () => ({ kind: 'wrong-function' }) },
	{ share: 0.02, fault: () => ({ kind: 'wrong-transaction' }), only: 'single' },
	{ share: 0.002, fault: () => ({ kind: 'reset' }), only: 'tcp' },
];

/**
 * Damage that the check of the frame finds for certain: one burst of at most 16 bits on a serial line (a CRC finds every one), the
 * header behind the transaction id on Modbus TCP, whose data has no check of its own.
 */
function damaged(frame: Buffer, framing: SlaveFraming, random: Random): Buffer {
	const bytes = Buffer.from(frame);
	const [first, end] = framing.name === 'tcp' ? [TCP_PROTOCOL_AT, TCP_DATA_AT] : [0, bytes.length];
	const at = first + Math.floor(random() * (end - first));
	bytes[at] = (bytes[at] ?? 0) ^ (1 + Math.floor(random() * 255));
	return bytes;
}

function dataPdu({ unitId, pdu }: LineRequest): Buffer {
	const functionCode = pdu.readUInt8(0);
	const address = pdu.readUInt16BE(1);
	const count = pdu.readUInt16BE(3);
	const reply = Buffer.alloc(2 + 2 * count);
	reply[0] = functionCode;
	reply[1] = 2 * count;
	for (let i = 0; i < count; i += 1) reply.writeUInt16BE(placeWord(unitId, functionCode, address + i), 2 + 2 * i);
	return reply;
}

export interface FaultyResponderOptions {
	readonly random: Random;
	readonly timeoutMs: number;
	/** Several requests are open at once: an answer with the transaction id of another one cannot be told from that one's own. */
	readonly isPipelined: boolean;
	readonly counts: FaultCounts;
}

/** A line whose answers come late, damaged or not at all, by chance. On a serial line they keep their order, as devices do. */
export function createFaultyResponder({ random, timeoutMs, isPipelined, counts }: FaultyResponderOptions): Responder {
	const ordered = inOrder(systemClock);

	function choose(traits: ReadonlySet<string>): LineFault | 'damaged' | null {
		let left = random();
		for (const { share, fault, only } of kinds) {
			if (only !== undefined && !traits.has(only)) continue;
			left -= share;
			if (left < 0) return fault(random, timeoutMs);
		}
		return null;
	}

	return {
		respond(request, framing) {
			const isTcp = framing.name === 'tcp';
			const chosen = choose(new Set(isTcp ? (isPipelined ? ['tcp'] : ['tcp', 'single']) : ['serial']));
			const choice = !isTcp && ordered.isBehind() && isLie(chosen) ? SILENT : chosen;
			const kind = choice === 'damaged' ? choice : (choice?.kind ?? 'sound');
			counts[kind] = (counts[kind] ?? 0) + 1;
			const answering = { framing, request, pdu: dataPdu(request), afterMs: random() * USUAL_MS };
			const deeds = deedsOf(choice === 'damaged' ? null : choice, answering).map((deed) =>
				choice === 'damaged' && deed.bytes !== null
					? { afterMs: deed.afterMs, bytes: damaged(deed.bytes, framing, random) }
					: deed,
			);
			return isTcp ? deeds : ordered.put(deeds);
		},
	};
}
