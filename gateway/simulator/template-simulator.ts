import type { TemplateDocument } from '../../config/template/template.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { type Lifecycle, type Stoppable, createLifecycle } from '../../core/kernel/lifecycle.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { Capture } from '../diagnose/capture.ts';
import { type ModbusSlave, createModbusSlave } from './modbus-slave.ts';
import { startSerialResponder } from './modbus-serial-slave.ts';
import { startTcpResponder } from './modbus-tcp-slave.ts';
import type { RegisterImage } from './register-image.ts';
import { assertModbus, createReplay } from './replay.ts';
import { type Scenario, playScenario } from './scenario.ts';
import type { SimulatedPlace } from './simulate-options.ts';
import { type Responder, createResponder } from './slave-line.ts';
import { createTemplateImage } from './template-image.ts';

/** A device model and the units it is played as, on each line. */
export interface PlayedTemplate {
	readonly template: TemplateDocument;
	readonly unitIds: readonly number[];
}

export interface TemplateSimulatorOptions {
	readonly devices: readonly PlayedTemplate[];
	readonly places: readonly SimulatedPlace[];
	readonly scenario: Scenario | null;
	readonly replay: Capture | null;
	readonly seed: number;
	readonly isPaced: boolean;
	readonly clock: Clock;
}

/** A simulated line that is up. */
export interface SimulatedLine {
	/** As a gateway would name it, e.g. `tcp 127.0.0.1:1502` or `rtu /dev/pts/4 9600`. */
	readonly name: string;
	/** `null`: a serial line. */
	readonly port: number | null;
	/** Its units, to be overridden or misbehave on top of the scenario. */
	readonly slave: ModbusSlave;
}

export interface TemplateSimulator extends Stoppable {
	/** In the order of the places. */
	readonly lines: readonly SimulatedLine[];
}

const transports = { tcp: 'tcp', rtu: 'rtu-over-tcp', ascii: 'ascii-over-tcp' } as const;

function unitImages(devices: readonly PlayedTemplate[], seed: number): ReadonlyMap<number, RegisterImage> {
	const images = new Map<number, RegisterImage>();
	for (const { template, unitIds } of devices) {
		for (const unitId of unitIds) {
			if (images.has(unitId)) throw new RangeError(`unit ${unitId} is given twice`);
			images.set(unitId, createTemplateImage({ template, seed: seed + unitId }));
		}
	}
	return images;
}

/** A reset needs a connection, a transaction id a header. */
function unfitFault(place: SimulatedPlace, scenario: Scenario | null): string | null {
	for (const { fault } of scenario?.rules ?? []) {
		if (fault.kind === 'reset' && place.kind === 'serial') return 'reset is for lines over TCP, not for a serial port';
		if (fault.kind === 'wrong-transaction' && place.framing !== 'tcp')
			return 'wrong-transaction is for Modbus TCP; other frames carry no transaction id';
	}
	return null;
}

/**
 * Starts all lines; each has the same units with their own registers, and plays the scenario from its beginning.
 * @throws RangeError for what does not fit together, and what a line throws that cannot start; nothing is left behind
 */
export async function startTemplateSimulator(options: TemplateSimulatorOptions): Promise<TemplateSimulator> {
	const { devices, places, scenario, replay, seed, isPaced, clock } = options;
	const lifecycle = createLifecycle(silentLog);

	function respond(place: SimulatedPlace, slave: ModbusSlave, unitIds: readonly number[]): Responder {
		if (replay !== null) assertModbus(replay);
		if (replay !== null && replay.framing !== place.framing)
			throw new RangeError(`the recording is of a ${replay.framing} line; it cannot answer on ${place.framing}`);
		const baudRate = place.kind === 'serial' ? place.settings.baudRate : place.baudRate;
		const pacedBaud = isPaced ? baudRate : null;
		const played = scenario === null ? null : playScenario(scenario);
		const responder = createResponder({ slave, clock, scenario: played, unitIds, pacedBaud });
		return replay === null ? responder : createReplay(replay, devices.length === 0 ? null : responder);
	}

	try {
		const lines: SimulatedLine[] = [];
		for (const place of places) {
			const unfit = unfitFault(place, scenario);
			if (unfit !== null) throw new RangeError(unfit);
			const images = unitImages(devices, seed);
			const slave = createModbusSlave({ clock, images });
			lines.push(await startPlace(place, slave, respond(place, slave, [...images.keys()]), lifecycle, clock));
		}
		return { lines, stop: () => lifecycle.stop() };
	} catch (error) {
		await lifecycle.stop();
		throw error;
	}
}

async function startPlace(
	place: SimulatedPlace,
	slave: ModbusSlave,
	responder: Responder,
	lifecycle: Lifecycle,
	clock: Clock,
): Promise<SimulatedLine> {
	const { framing } = place;
	if (place.kind === 'tcp') {
		const { port } = lifecycle.own('tcp', await startTcpResponder(responder, { port: place.port, framing, clock }));
		return { name: `${transports[framing]} 127.0.0.1:${port}`, port, slave };
	}
	const { settings } = place;
	lifecycle.own('serial', await startSerialResponder(responder, { ...settings, framing: place.framing, clock }));
	return { name: `${framing} ${settings.path} ${settings.baudRate}`, port: null, slave };
}
