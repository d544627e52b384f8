import type { SerialConnection } from '../../../config/connection/connection.ts';
import type { SerialFormat } from '../../../config/template/serial-format.ts';
import type { DeviceTemplate } from '../../../config/template/template.ts';
import type { Device } from '../../../core/device/device.ts';
import type { SetTimer } from '../../../core/journal/set-timer.ts';
import { type Clock, type EpochMs, toIso } from '../../../core/kernel/clock.ts';
import type { Stoppable } from '../../../core/kernel/lifecycle.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import type { DriverSink, LineStats } from '../driver.ts';
import { createHealthTracker } from '../health-tracker.ts';
import { createLineKeeper } from '../line-keeper.ts';
import { createLineMeter } from '../line-meter.ts';
import type { ByteLink } from '../modbus/wire/byte-link.ts';
import { createUtilisation } from '../utilisation.ts';
import { createFrameDecoder } from './frame-decoder.ts';
import { createFramedLine, type FramedLine, streamLineName } from './stream-line.ts';
import { createStreamCounters, type StreamMeter } from './stream-meter.ts';
import { createValuePublisher } from './value-publisher.ts';

/** A device that is silent so often in a row is taken for lost. */
const LOST_AFTER = 3;
/** After so many silences the connection itself is suspected and made anew. */
const SILENT_BEFORE_RENEWAL = 8;

/** A device with all that decides how it is read. */
export interface WantedStream {
	readonly device: Device;
	readonly connection: SerialConnection;
	/** The template with what the connection says about it. */
	readonly template: DeviceTemplate;
	readonly format: SerialFormat;
}

/** One serial device on the line it has for itself. */
export interface StreamDevice extends Stoppable {
	readonly meter: StreamMeter;
	stats(): LineStats;
	/** What made the line fail may be over: it is tried at once. */
	retry(): void;
}

export interface StreamDeviceDeps {
	/** A fresh, unopened link for each attempt. */
	readonly createLink: (line: SerialConnection['line']) => ByteLink;
	readonly sink: DriverSink;
	readonly clock: Clock;
	readonly log: Logger;
	readonly setTimer: SetTimer;
	readonly random?: (() => number) | undefined;
}

export function createStreamDevice(wanted: WantedStream, deps: StreamDeviceDeps): StreamDevice {
	const { device, connection, template, format } = wanted;
	const { createLink, sink, clock, log, setTimer, random } = deps;
	const { periodMs, timeoutMs } = connection;
	const { request } = format;
	const name = streamLineName(connection.line);
	const { counters, latency, frames } = createLineMeter(clock);
	const stream = createStreamCounters();
	const utilisation = createUtilisation(clock.monotonicMs());
	const decoder = createFrameDecoder(template, format, (point, from, to) =>
		log.warn('counter-replaced', { device: device.uid, point, from: String(from), to: String(to) }),
	);
	const values = createValuePublisher({
		device: device.id,
		records: decoder.records,
		periodMs: request === null ? periodMs : 0,
		sink,
		clock,
	});
	const health = createHealthTracker(clock, (next) => {
		if (!hasEnded) sink.health(device.id, next);
	});
	let hasEnded = false;
	let silences = 0;
	let silentSince: EpochMs | null = null;
	let skippedPeriods = 0;
	/** When the open request was sent, monotonic; `null`: none is open. */
	let askedMs: number | null = null;
	let heardMs = 0;
	/** What came since the last usable frame, for the sentence of a loss. */
	let damagedCount = 0;
	let foreignCount = 0;
	/** What came last makes no frame: more of it is the same trouble. */
	let isLost = false;
	let endTimer: (() => void) | null = null;

	function after(ms: number, act: () => void): void {
		endTimer?.();
		endTimer = setTimer(() => {
			endTimer = null;
			if (!hasEnded) act();
		}, ms);
	}

	function spoke(): void {
		silences = 0;
		silentSince = null;
		damagedCount = 0;
		foreignCount = 0;
		counters.answers += 1;
		keeper.proved();
		health.good();
	}

	/** What was seen while no value came. */
	function symptom(): string {
		if (damagedCount > 0)
			return 'what comes is damaged: check baud rate, parity and wiring, and the checksum of the template';
		if (foreignCount > 0) return `what comes does not fit the template ${template.key}`;
		return 'check power, wiring and baud rate';
	}

	function silent(mostSilences: number): void {
		counters.timeouts += 1;
		silences += 1;
		silentSince ??= clock.now();
		health.bad(`nothing usable from ${name} within ${timeoutMs} ms`);
		if (silences >= mostSilences) {
			values.publishLost();
			const since = `${toIso(silentSince).slice(11, 19)}Z`;
			health.offline('silent', `nothing usable on ${name} since ${since}; ${symptom()}`);
		}
		if (silences % SILENT_BEFORE_RENEWAL === 0) keeper.renew();
	}

	/** Devices that send by themselves. */
	function watchSilence(): void {
		after(Math.max(1, heardMs + timeoutMs - clock.monotonicMs()), () => {
			if (clock.monotonicMs() - heardMs >= timeoutMs) {
				heardMs = clock.monotonicMs();
				silent(1);
			}
			watchSilence();
		});
	}

	/** Plans the next request: periods that the answer took are skipped and counted. */
	function askLater(sentMs: number): void {
		const passedMs = clock.monotonicMs() - sentMs;
		const missed = Math.max(0, Math.ceil(passedMs / periodMs) - 1);
		skippedPeriods += missed;
		after(Math.max(0, (missed + 1) * periodMs - passedMs), ask);
	}

	function endRequest(sentMs: number): void {
		utilisation.busy(sentMs, clock.monotonicMs());
		askedMs = null;
		askLater(sentMs);
	}

	function ask(): void {
		const { line } = keeper;
		if (line === null || request === null) return;
		const sentMs = clock.monotonicMs();
		askedMs = sentMs;
		counters.requests += 1;
		after(timeoutMs, () => {
			endRequest(sentMs);
			silent(LOST_AFTER);
		});
		line.ask(request);
	}

	function onFrame(frame: Buffer): void {
		if (request !== null && askedMs === null) {
			counters.strayFrames += 1;
			return;
		}
		const decoded = decoder.decode(frame, clock.monotonicMs());
		if (decoded === null) {
			counters.foreignFrames += 1;
			foreignCount += 1;
			return;
		}
		if (askedMs !== null) {
			latency.add(clock.monotonicMs() - askedMs);
			endRequest(askedMs);
		}
		heardMs = clock.monotonicMs();
		spoke();
		values.publish(decoded);
	}

	const createLine = (): FramedLine =>
		createFramedLine({
			link: createLink(connection.line),
			format,
			listener: {
				frame(frame) {
					stream.frames += 1;
					isLost = false;
					if (!hasEnded) onFrame(frame);
				},
				damaged() {
					isLost = true;
					counters.crcErrors += 1;
					damagedCount += 1;
					health.bad(`a frame on ${name} has a wrong checksum`);
				},
				noise(bytes) {
					if (!isLost) stream.framingErrors += 1;
					isLost = true;
					counters.noiseBytes += bytes;
				},
			},
			counters: stream,
			frames,
			clock,
			setTimer,
		});

	const keeper = createLineKeeper({
		name,
		createLine,
		opened() {
			heardMs = clock.monotonicMs();
			askedMs = null;
			if (request === null) watchSilence();
			else ask();
		},
		failed(reason) {
			endTimer?.();
			endTimer = null;
			askedMs = null;
			values.publishLost();
			health.offline(`line: ${reason}`, reason);
		},
		setTimer,
		log,
		random,
	});
	keeper.want(false);

	return {
		meter: { device: device.id, isAsked: request !== null, format, counters: stream, frames },
		stats: () => ({
			...counters,
			line: name,
			state: keeper.state,
			reason: keeper.reason,
			skippedPeriods,
			leasedTo: null,
			overrun: null,
			utilisation: utilisation.share(clock.monotonicMs()),
			latencyP50Ms: latency.percentileMs(0.5),
			latencyP99Ms: latency.percentileMs(0.99),
		}),
		retry() {
			if (keeper.state === 'failed') keeper.want(true);
		},
		async stop() {
			hasEnded = true;
			endTimer?.();
			await keeper.stop();
		},
	};
}
