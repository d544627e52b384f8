import type { Capture } from '../../../gateway/diagnose/capture.ts';
import { type ShownFrame, shownFrames } from '../../../gateway/diagnose/frame-list.ts';
import type { ExpectedRead, Expectation } from '../expectation.ts';

const TIMEOUT_MS = 300;
const EXCEPTION_BIT = 0x80;
/** Function and byte count come before the data of a PDU; unit before both in a frame. */
const PDU_HEAD_BYTES = 2;

const isRead = (functionCode: number): functionCode is ExpectedRead['function'] =>
	functionCode >= 1 && functionCode <= 4;

function outcomeOf(received: readonly ShownFrame[], unitId: number, functionCode: number): Partial<ExpectedRead> {
	const answer = received.find((frame) => frame.unitId === unitId && frame.facts?.functionCode === functionCode);
	if (answer === undefined) return { failure: received.some(({ check }) => check === 'bad') ? 'corrupt' : 'timeout' };
	const { facts, pdu } = answer;
	if (facts?.exceptionCode !== null && facts?.exceptionCode !== undefined)
		return { failure: `exception ${facts.exceptionCode}` };
	if (pdu === null || ((pdu[0] ?? 0) & EXCEPTION_BIT) !== 0) return { failure: 'corrupt' };
	return { data: pdu.subarray(PDU_HEAD_BYTES).toString('hex') };
}

/**
 * What the reads of a recording came to while it was made: the beginning of an `expect.json`. Somebody has to look at it: what was
 * recorded may be the bug.
 */
export function draftExpectation(capture: Capture): Expectation {
	const frames = shownFrames(capture.framing, capture.frames);
	const sent = frames.flatMap((frame, index) => (frame.direction === 'sent' ? [index] : []));
	const reads = sent.flatMap((index, turn): readonly ExpectedRead[] => {
		const { unitId, facts } = frames[index] ?? {};
		if (facts === null || facts === undefined || unitId === null || unitId === undefined) return [];
		const { functionCode, address, count } = facts;
		if (!isRead(functionCode) || address === null || count === null) return [];
		const received = frames.slice(index + 1, sent[turn + 1]);
		const outcome = outcomeOf(received, unitId, functionCode);
		return [{ unit: unitId, function: functionCode, address, count, timeout_ms: TIMEOUT_MS, ...outcome }];
	});
	return { story: 'What happened, to whom, and what must become of it instead.', reads };
}
