import Joi from 'joi';

import { type EpochMs, epochMs, toIso } from '../../core/kernel/clock.ts';
import { type Recording, MOST_RECORDING_MS, MOST_WATCH_MS } from '../driver/frame-ring.ts';
import type { LatencyBucket } from '../driver/latency-histogram.ts';
import { lineMembers, lineView } from '../driver/line-schema.ts';
import type { ShownFrame } from './frame-list.ts';
import type { WiringHealth } from './judgement.ts';
import type { LineDiagnosis, StreamDiagnosis, UnitDiagnosis } from './line-diagnosis.ts';

/** Frames of one answer: a screen by default, at most what a page can show. */
const DEFAULT_FRAMES = 200;
const MOST_FRAMES = 2000;

const required = { presence: 'required' } as const;
const whole = () => Joi.number().integer().min(0);
const orNull = (schema: Joi.Schema) => schema.allow(null);

const bucketView = ({ upToMs, count }: LatencyBucket) => ({ up_to_ms: Number.isFinite(upToMs) ? upToMs : null, count });

const healthView = ({ score, verdict, reasons }: WiringHealth) => ({ score, verdict, reasons });

const unitView = (unit: UnitDiagnosis, isNamed: boolean) => ({
	unit_id: unit.unitId,
	devices: isNamed ? unit.devices.map(({ uid, name }) => ({ device_uid: uid, name })) : [],
	requests: unit.requests,
	answers: unit.answers,
	timeouts: unit.timeouts,
	corrupt: unit.corrupt,
	unproven: unit.unproven,
	retries: unit.retries,
	skipped_periods: unit.skippedPeriods,
	exceptions: unit.exceptions,
	utilisation: unit.utilisation,
	latency_p50_ms: unit.latencyP50Ms,
	latency_p99_ms: unit.latencyP99Ms,
	latency: unit.latency.map(bucketView),
	health: healthView(unit.health),
});

const streamView = ({ device, ...stream }: StreamDiagnosis, isNamed: boolean) => ({
	device: isNamed && device !== null ? { device_uid: device.uid, name: device.name } : null,
	is_asked: stream.isAsked,
	frames: stream.frames,
	checksum_errors: stream.checksumErrors,
	framing_errors: stream.framingErrors,
	received_bytes: stream.receivedBytes,
	sent_bytes: stream.sentBytes,
});

/** What stands for a sentence that names devices, before somebody from whom some are hidden. */
const OVERRUN = 'the line needs more time than there is';

/**
 * A line with its judgement, in the words of REST.
 * @param isNamed whether devices may be named
 */
export function judgedLineView({ stats, health }: LineDiagnosis, isNamed: boolean) {
	if (isNamed || stats.overrun === null) return { ...lineView(stats), health: healthView(health) };
	const reasons = health.reasons.map((reason) => (reason === stats.overrun ? OVERRUN : reason));
	return { ...lineView({ ...stats, overrun: OVERRUN }), health: healthView({ ...health, reasons }) };
}

/** The same with its units, or with the device that has it for itself. */
export const lineDiagnosisView = (line: LineDiagnosis, isNamed: boolean) => ({
	...judgedLineView(line, isNamed),
	units: line.units.map((unit) => unitView(unit, isNamed)),
	stream: line.stream && streamView(line.stream, isNamed),
});

export const recordingView = (recording: Recording | null) =>
	recording && {
		started_at: toIso(recording.startedAt),
		until: toIso(recording.until),
		is_running: recording.isRunning,
		until_fault: recording.untilFault,
		fault: recording.fault && { at: toIso(recording.fault.at), reason: recording.fault.reason },
		bytes: recording.bytes,
		dropped: recording.dropped,
	};

const instantOf = (startedAt: EpochMs, sinceStartUs: number): string =>
	toIso(epochMs(startedAt + Math.floor(sinceStartUs / 1000)));

export const frameView = (frame: ShownFrame, startedAt: EpochMs) => ({
	direction: frame.direction,
	at: instantOf(startedAt, frame.sinceStartUs),
	since_start_us: frame.sinceStartUs,
	gap_us: frame.gapUs,
	hex: frame.bytes.toString('hex'),
	unit_id: frame.unitId,
	transaction: frame.transaction,
	check: frame.check,
	function: frame.facts?.functionCode ?? null,
	address: frame.facts?.address ?? null,
	count: frame.facts?.count ?? null,
	exception: frame.facts?.exceptionCode ?? null,
	text: frame.text,
});

const healthAnswer = Joi.object({
	score: orNull(whole().max(100)).description('100: nothing to find fault with'),
	verdict: Joi.valid('good', 'fair', 'poor', 'unknown'),
	reasons: Joi.array().items(Joi.string()).description('What costs points and what to look at, the dearest first'),
})
	.options(required)
	.label('WiringHealth');

const unitAnswer = Joi.object({
	unit_id: whole().max(255),
	devices: Joi.array().items(Joi.object({ device_uid: Joi.string(), name: Joi.string() }).options(required)),
	requests: whole(),
	answers: whole(),
	timeouts: whole(),
	corrupt: whole().description('Answers that were damaged or did not fit'),
	unproven: whole().description('Answers that could have been late ones to an earlier request'),
	retries: whole(),
	skipped_periods: whole(),
	exceptions: Joi.array().items(
		Joi.object({ code: whole().max(255), text: Joi.string(), count: whole() }).options(required),
	),
	utilisation: Joi.number().min(0),
	latency_p50_ms: orNull(Joi.number().min(0)),
	latency_p99_ms: orNull(Joi.number().min(0)),
	latency: Joi.array()
		.items(Joi.object({ up_to_ms: orNull(Joi.number()), count: whole() }).options(required))
		.description('Answers that came within each time, ms; null: all'),
	health: healthAnswer,
})
	.options(required)
	.label('UnitDiagnosis');

const streamAnswer = Joi.object({
	device: orNull(Joi.object({ device_uid: Joi.string(), name: Joi.string() }).options(required)),
	is_asked: Joi.boolean().description('false: the device sends by itself'),
	frames: whole().description('Whole frames with a valid checksum, where there is one'),
	checksum_errors: whole(),
	framing_errors: whole().description('Times that bytes came which make no frame, between two frames'),
	received_bytes: whole(),
	sent_bytes: whole(),
})
	.options(required)
	.allow(null)
	.description('Of the line of a serial device that is not Modbus; null: of any other')
	.label('StreamDiagnosis');

export const judgedLineAnswer = Joi.object({ ...lineMembers, health: healthAnswer })
	.options(required)
	.label('Line');

export const lineDiagnosisAnswer = Joi.object({
	...lineMembers,
	health: healthAnswer,
	units: Joi.array().items(unitAnswer),
	stream: streamAnswer,
})
	.options(required)
	.label('LineDiagnosis');

export const recordingAnswer = Joi.object({
	started_at: Joi.string().isoDate(),
	until: Joi.string().isoDate(),
	is_running: Joi.boolean(),
	until_fault: Joi.boolean().description('Whether the first fault ends it'),
	fault: orNull(Joi.object({ at: Joi.string().isoDate(), reason: Joi.string() }).options(required)).description(
		'The fault that ended it',
	),
	bytes: whole(),
	dropped: whole().description('Older frames that made room for newer ones'),
})
	.options(required)
	.allow(null)
	.label('FrameRecording');

export const framesAnswer = Joi.object({
	recording: recordingAnswer,
	frames: Joi.array().items(
		Joi.object({
			direction: Joi.valid('sent', 'received'),
			at: Joi.string().isoDate(),
			since_start_us: whole(),
			gap_us: orNull(Joi.number().integer()).description('Silence before it'),
			hex: Joi.string(),
			unit_id: orNull(whole().max(255)),
			transaction: orNull(whole()),
			check: Joi.valid('ok', 'bad', null).description('CRC, LRC or the header of Modbus TCP'),
			function: orNull(whole()),
			address: orNull(whole()),
			count: orNull(whole()),
			exception: orNull(whole()),
			text: Joi.string(),
		})
			.options(required)
			.label('LineFrame'),
	),
})
	.options(required)
	.label('LineFrames');

export interface LineParams {
	readonly line: string;
}

export const lineParams = Joi.object<LineParams>({
	line: Joi.string().max(300).required().description('Name of the line as GET /lines tells it, URL-encoded'),
});

export interface FramesQuery {
	/** Only frames after this time of the recording, µs. */
	readonly after_us?: number;
	readonly limit: number;
}

export const framesQuery = Joi.object<FramesQuery>({
	after_us: Joi.number().integer().min(0),
	limit: Joi.number().integer().min(1).max(MOST_FRAMES).default(DEFAULT_FRAMES),
});

const MOST_RECORDING_SECONDS = MOST_RECORDING_MS / 1000;

export interface RecordPayload {
	readonly seconds: number;
	readonly until_fault: boolean;
}

/** Only a recording that waits for a fault may take days. */
const lastsFor: Joi.CustomValidator<number> = (seconds, helpers) => {
	const [payload]: readonly unknown[] = helpers.state.ancestors;
	const isWatch = typeof payload === 'object' && payload !== null && Reflect.get(payload, 'until_fault') === true;
	return isWatch || seconds <= MOST_RECORDING_SECONDS
		? seconds
		: helpers.error('number.max', { limit: MOST_RECORDING_SECONDS });
};

export const recordPayload = Joi.object<RecordPayload>({
	seconds: Joi.number()
		.integer()
		.min(0)
		.max(MOST_WATCH_MS / 1000)
		.custom(lastsFor)
		.required()
		.description('At most 900 without until_fault. 0 ends the recording and keeps what it has'),
	until_fault: Joi.boolean()
		.default(false)
		.description('Ends when a device of the line is lost, and keeps the frames before that for a week'),
});
