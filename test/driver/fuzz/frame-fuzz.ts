import fc from 'fast-check';
import { createLineMeter } from '../../../gateway/driver/line-meter.ts';
import { createAsciiLine } from '../../../gateway/driver/modbus/wire/ascii-line.ts';
import type { ByteLink, ByteLinkListener } from '../../../gateway/driver/modbus/wire/byte-link.ts';
import { createLateReplyGuard } from '../../../gateway/driver/modbus/wire/late-reply-guard.ts';
import { ModbusFault } from '../../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusExchange, ModbusLine } from '../../../gateway/driver/modbus/wire/modbus-line.ts';
import { createRtuLine } from '../../../gateway/driver/modbus/wire/rtu-line.ts';
import { createTcpLine } from '../../../gateway/driver/modbus/wire/tcp-line.ts';
import { createManualClock, type ManualClock } from '../../fake/manual-clock.ts';
import { ascii, mbap, rtu } from '../../fake/framings.ts';
import { createPduDevice } from '../../fake/pdu-device.ts';
import { applyAll, damages, pieces } from './damage.ts';
import { exchanges } from './exchanges.ts';
import { type FrameKind, rightAnswers } from './right-answers.ts';

const framings = { tcp: mbap, rtu, ascii };
const timing = { baudRate: 115_200, bitsPerChar: 10 };

const makers: Readonly<Record<FrameKind, (link: ByteLink, clock: ManualClock) => ModbusLine>> = {
	tcp: (link, clock) => createTcpLine({ link, place: 'x:502', depth: 1, clock, meter: createLineMeter(clock) }),
	rtu: (link, clock) => {
		const guard = createLateReplyGuard(() => clock.monotonicMs());
		return createRtuLine({ link, timing, clock, meter: createLineMeter(clock), guard });
	},
	ascii: (link, clock) => {
		const guard = createLateReplyGuard(() => clock.monotonicMs());
		return createAsciiLine({ link, timing, clock, meter: createLineMeter(clock), guard });
	},
};

function deliver(listener: ByteLinkListener, bytes: Buffer, sizes: readonly number[]): void {
	let start = 0;
	for (const size of [...sizes, bytes.length]) {
		// A link may use the same memory again, so each piece is spoilt once it was handed over.
		const piece = Buffer.from(bytes.subarray(start, start + size));
		if (piece.length > 0) listener.bytes(piece);
		piece.fill(0xa5);
		start += size;
	}
}

/** What came of an exchange whose answer was damaged. */
export interface FuzzOutcome {
	/** `data …`, `exception n`, or the failure. */
	readonly said: string;
	/** What the bytes rightly say. */
	readonly right: ReadonlySet<string>;
	readonly isUntouched: boolean;
}

/** One request on a fresh line, answered by these bytes and nothing else. */
async function exchangeOnce(
	kind: FrameKind,
	exchange: ModbusExchange,
	change: (answer: Buffer) => Buffer,
	sizes: readonly number[],
): Promise<FuzzOutcome> {
	const clock = createManualClock();
	const framing = framings[kind];
	const device = createPduDevice();
	let listener: ByteLinkListener | null = null;
	let sent: { readonly bytes: Buffer; readonly answer: Buffer; readonly id: Buffer } | null = null;
	const line = makers[kind](
		{
			open(next) {
				listener = next;
				return Promise.resolve();
			},
			write(request) {
				const cut = framing.cut(request);
				const pdu = cut === null ? null : device.answer(cut.pdu);
				if (cut === null || pdu === null) throw new Error(`the line sent ${request.toString('hex')}`);
				const answer = framing.wrap(cut.unitId, pdu, cut.tag);
				// A line may ask something else first, to know its adapter.
				if (cut.pdu[0] !== exchange.functionCode) {
					queueMicrotask(() => {
						listener?.bytes(answer);
						clock.advance(1000);
					});
					return;
				}
				const bytes = change(answer);
				sent = { bytes, answer, id: cut.tag };
				queueMicrotask(() => {
					if (listener !== null) deliver(listener, bytes, sizes);
					void line.close();
				});
			},
			close: () => Promise.resolve(),
		},
		clock,
	);
	await line.open(new AbortController().signal, () => undefined);
	// The silence before the request is over.
	clock.advance(1000);
	const said = await line.transact(exchange).then(
		({ data }) => `data ${data.toString('hex')}`,
		(fault: unknown) => {
			if (!(fault instanceof ModbusFault)) throw fault;
			return fault.exceptionCode === null ? fault.failure : `exception ${fault.exceptionCode}`;
		},
	);
	// oxlint-disable-next-line typescript/no-unnecessary-condition -- it is set by the write
	if (sent === null) throw new Error('nothing was sent');
	const { bytes, answer, id } = sent as { bytes: Buffer; answer: Buffer; id: Buffer };
	return { said, right: rightAnswers(kind, exchange, bytes, id), isUntouched: bytes.equals(answer) };
}

/** How an exchange without an answer ends, once its line is closed. */
const FAILURES: ReadonlySet<string> = new Set(['corrupt', 'closed', 'unproven', 'timeout']);

/** Why the outcome is wrong; `null` when it is as it must be. */
function wrongness({ said, right, isUntouched }: FuzzOutcome): string | null {
	if (right.has(said)) return null;
	if (!FAILURES.has(said)) return `${said} was taken for the answer`;
	return isUntouched ? `the right answer brought ${said}` : null;
}

/** Sends so many requests whose answers are damaged. @throws with the smallest answer that is taken wrongly */
export async function fuzzFrames(kind: FrameKind, frames: number, seed: number): Promise<ReadonlyMap<string, number>> {
	const counts = new Map<string, number>();
	await fc.assert(
		fc.asyncProperty(exchanges, damages, pieces, async (exchange, how, sizes) => {
			const outcome = await exchangeOnce(kind, exchange, (answer) => applyAll(answer, how), sizes);
			const name = outcome.said.split(' ')[0] ?? '';
			counts.set(name, (counts.get(name) ?? 0) + 1);
			const wrong = wrongness(outcome);
			if (wrong !== null) throw new Error(wrong);
		}),
		{ numRuns: frames, seed },
	);
	return counts;
}
