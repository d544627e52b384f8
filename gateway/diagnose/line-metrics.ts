import type { Metrics, MetricValue } from '../../core/system/metrics.ts';
import type { LineMeter } from '../driver/line-meter.ts';
import type { StreamCounters } from '../driver/serial/stream-meter.ts';
import type { UnitMeter } from '../driver/unit-meter.ts';

/** A line with its meter. */
interface MeteredLine {
	readonly line: string;
	readonly meter: LineMeter;
}

/** The line of a serial device that is not Modbus. */
interface MeteredStream {
	readonly line: string;
	readonly counters: Readonly<StreamCounters>;
	readonly checksumErrors: number;
}

/** Numbers of the lines of serial devices that are not Modbus for `/metrics`. */
export function addStreamMetrics(metrics: Metrics, lines: () => readonly MeteredStream[]): void {
	const perLine = (name: string, help: string, of: (line: MeteredStream) => number): void =>
		metrics.add({
			name,
			help,
			kind: 'counter',
			labels: ['line'],
			read: () => lines().map((each) => ({ value: of(each), labels: { line: each.line } })),
		});
	perLine('serial_frames_total', 'Whole frames of serial devices', ({ counters }) => counters.frames);
	perLine('serial_checksum_errors_total', 'Frames with a wrong checksum', ({ checksumErrors }) => checksumErrors);
	perLine('serial_framing_errors_total', 'Times bytes made no frame', ({ counters }) => counters.framingErrors);
	perLine('serial_received_bytes_total', 'Bytes that came', ({ counters }) => counters.receivedBytes);
	perLine('serial_sent_bytes_total', 'Bytes that were sent', ({ counters }) => counters.sentBytes);
}

/** Numbers of each unit for `/metrics`; those of whole lines are beside the gateway's own. */
export function addLineMetrics(metrics: Metrics, lines: () => readonly MeteredLine[]): void {
	const each = <T>(of: (unit: UnitMeter, labels: Readonly<Record<string, string>>) => T): readonly T[] =>
		lines().flatMap(({ line, meter }) =>
			meter.units.all().map((unit) => of(unit, { line, unit: String(unit.unitId) })),
		);
	const perUnit = (name: string, help: string, of: (unit: UnitMeter) => number): void =>
		metrics.add({
			name,
			help,
			kind: 'counter',
			labels: ['line', 'unit'],
			read: () => each((unit, labels) => ({ value: of(unit), labels })),
		});
	perUnit('modbus_unit_requests_total', 'Modbus requests to the unit', ({ counters }) => counters.requests);
	perUnit('modbus_unit_answers_total', 'Requests the unit answered with data', ({ counters }) => counters.answers);
	perUnit('modbus_unit_timeouts_total', 'Requests the unit left unanswered', ({ counters }) => counters.timeouts);
	perUnit('modbus_unit_corrupt_total', 'Damaged answers of the unit', ({ counters }) => counters.corrupt);
	perUnit('modbus_unit_unproven_total', 'Answers that could have been late ones', ({ counters }) => counters.unproven);
	perUnit('modbus_unit_retries_total', 'Requests to the unit that were repeated', ({ counters }) => counters.retries);
	perUnit('modbus_unit_skipped_periods_total', 'Periods without a turn', ({ counters }) => counters.skippedPeriods);
	metrics.add({
		name: 'modbus_unit_exceptions_total',
		help: 'Exceptions of the unit by their code',
		kind: 'counter',
		labels: ['line', 'unit', 'code'],
		read: () =>
			each(({ exceptions }, labels) =>
				[...exceptions].map(([code, value]): MetricValue => ({ value, labels: { ...labels, code: String(code) } })),
			).flat(),
	});
	metrics.addHistogram({
		name: 'modbus_unit_latency_seconds',
		help: 'Time from the end of a request to the end of its answer',
		read: () =>
			each(({ latency }, labels) => ({
				labels,
				sum: latency.sumMs / 1000,
				buckets: latency.buckets().map(({ upToMs, count }) => ({ upTo: upToMs / 1000, count })),
			})),
	});
	const perLine = (name: string, help: string, of: (meter: LineMeter) => number): void =>
		metrics.add({
			name,
			help,
			kind: 'counter',
			labels: ['line'],
			read: () => lines().map(({ line, meter }) => ({ value: of(meter), labels: { line } })),
		});
	perLine('modbus_foreign_frames_total', 'Frames of another master', ({ counters }) => counters.foreignFrames);
	perLine('modbus_echo_frames_total', 'Requests that came back', ({ counters }) => counters.echoFrames);
	perLine('modbus_noise_bytes_total', 'Bytes that make no frame', ({ counters }) => counters.noiseBytes);
	perLine('modbus_quarantines_total', 'Times a line was held after a timeout', ({ counters }) => counters.quarantines);
}
