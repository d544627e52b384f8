import type { Device } from '../../core/device/device.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { Fault, notFound } from '../../core/kernel/fault.ts';
import type { Bus } from '../driver/bus.ts';
import type { LineStats } from '../driver/driver.ts';
import type { FrameRing } from '../driver/frame-ring.ts';
import type { StreamMeter } from '../driver/serial/stream-meter.ts';
import { type Capture, framingOfLine } from './capture.ts';
import { type ShownFrame, shownFrames } from './frame-list.ts';
import { diagnoseLine, type LineDiagnosis, type LineMeters, type LineNameOf, lineOf } from './line-diagnosis.ts';
import { shownStream } from './stream-frames.ts';

export interface LineDiagnosesDeps {
	readonly lines: () => readonly LineStats[];
	/** `null`: the line is none of a bus. */
	readonly bus: (line: string) => Pick<Bus, 'meter'> | null;
	/** `null`: the line is none of a serial device that is not Modbus. */
	readonly stream: (line: string) => StreamMeter | null;
	readonly devices: () => readonly Device[];
	/** The name under which a device's line is among `lines`. */
	readonly nameOf: LineNameOf;
	readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** The lines of a gateway under a glass, each by its name. All but `all` throw Fault `not-found` for a line that is not there. */
export interface LineDiagnoses {
	all(): readonly LineDiagnosis[];
	one(line: string): LineDiagnosis;
	/** @throws Fault `state-conflict` for a line whose frames cannot be recorded */
	ring(line: string): FrameRing;
	frames(line: string): readonly ShownFrame[];
	/** A device was lost: a recording of its line that waits for that ends with it. A device without a line has none. */
	lost(device: Pick<Device, 'connection' | 'name'>, reason: string): void;
	/** @throws Fault `not-found` while nothing was recorded */
	capture(line: string): Capture;
}

export function createLineDiagnoses(deps: LineDiagnosesDeps): LineDiagnoses {
	const { lines, bus, stream, devices, nameOf, clock } = deps;
	const metersOf = (line: string): LineMeters => ({ bus: bus(line), stream: stream(line) });

	const diagnose = (stats: LineStats): LineDiagnosis =>
		diagnoseLine(stats, metersOf(stats.line), { devices: devices(), nameOf }, clock.monotonicMs());

	function statsOf(line: string): LineStats {
		const stats = lines().find((each) => each.line === line);
		if (stats === undefined) throw notFound('line', line);
		return stats;
	}

	const ringOf = (line: string): FrameRing | undefined => bus(line)?.meter.frames ?? stream(line)?.frames;

	function ring(line: string): FrameRing {
		const found = ringOf(statsOf(line).line);
		if (found === undefined) throw new Fault('state-conflict', `the frames of ${line} cannot be recorded`);
		return found;
	}

	return {
		all: () => lines().map(diagnose),
		one: (line) => diagnose(statsOf(line)),
		ring,
		lost(device, reason) {
			const line = lineOf(device, nameOf);
			if (line !== null) ringOf(line)?.fault(`${device.name}: ${reason}`);
		},
		frames(line) {
			const recorded = ring(line).frames();
			const format = stream(line)?.format;
			return format === undefined ? shownFrames(framingOfLine(line), recorded) : shownStream(format, recorded);
		},
		capture(line) {
			const from = ring(line);
			const recording = from.recording();
			if (recording === null) throw new Fault('not-found', `nothing was recorded on ${line}`);
			const { startedAt, dropped } = recording;
			return { line, framing: framingOfLine(line), startedAt, dropped, frames: from.frames() };
		},
	};
}
