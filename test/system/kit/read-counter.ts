import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { MeterSettings } from '../../../demo/demo-settings.ts';
import { member } from './rest.ts';
import type { SimulatorProcess } from './simulator-process.ts';
import { STATUS_TYPE, type TelemetryRecord } from './telemetry.ts';

/** Key of the template that `writeReadCounterTemplate` makes. */
const READ_COUNTER = 'read-counter';

const point = (key: string, address: number, count: number) => ({
	key,
	name: key,
	function: 4,
	address,
	count,
	type: count === 1 ? 'uint16' : 'uint32',
	byte_order: count === 1 ? 'AB' : 'ABCD',
});

/** A whole template file with these points. */
export const templateWith = (points: readonly object[]): string =>
	JSON.stringify({ manufacturer: 'Test', model: 'Test', category: 'test', transports: ['tcp', 'rtu'], points });

/** Puts the template of the simulator's mode `reads` into a folder, and answers the settings that name the folder. */
export function writeReadCounterTemplate(folder: string): { readonly templates: { readonly folder: string } } {
	const templates = join(folder, 'templates');
	mkdirSync(templates, { recursive: true });
	const points = [point('unit', 0, 1), point('reads', 1, 2), point('check', 3, 2)];
	writeFileSync(join(templates, `${READ_COUNTER}.json`), templateWith(points));
	return { templates: { folder: templates } };
}

/** One device per line and unit of a simulator in mode `reads`, polled each `periodMs`. @param more fields of each connection */
export function readCounterDevices(
	{ lines }: Pick<SimulatorProcess, 'lines'>,
	periodMs: number,
	timeoutMs = 1000,
	more: object = {},
): readonly MeterSettings[] {
	return lines.flatMap(({ transport, port, path, unitIds }, index) =>
		unitIds.map((unitId) => ({
			uid: `counter-${index}-${unitId}`,
			name: `Counter ${index}/${unitId}`,
			device_type: 'test',
			connection: {
				driver: 'modbus',
				line: transport === 'tcp' ? { transport, host: '127.0.0.1', port } : { transport, path, baud_rate: 115_200 },
				unit_id: unitId,
				template: READ_COUNTER,
				period_ms: periodMs,
				timeout_ms: timeoutMs,
				...more,
			},
		})),
	);
}

interface Answered {
	readonly at: string | number;
	readonly unit_id: number;
	readonly outcome: string;
}

const CHECK = 0xffff_ffff;
/** Two processes read one clock; each rounds for itself, and may count on from an earlier reading. */
export const CLOCKS_APART_MS = 10;

/** What is wrong with the values of a record of this unit: under a wrong name, or mixed of two answers. Null: nothing. */
export function misattribution({ id, telemetry_type: type, payload }: TelemetryRecord, unitId: number): string | null {
	// What became of the device is no value of it.
	if (type === STATUS_TYPE) return null;
	const [unit, reads, check] = ['unit', 'reads', 'check'].map((key) => member(payload, key));
	// A failed read carries no values.
	if (unit === null && reads === null && check === null) return null;
	if (unit !== unitId) return `${id} has a value of unit ${String(unit)}`;
	if (typeof reads !== 'number' || check !== CHECK - reads) return `${id} is mixed: ${JSON.stringify(payload)}`;
	return null;
}

/**
 * What is wrong with the records of a device, held against the slave's own log of answers: a value that was never answered,
 * that came twice, or that carries an instant outside of the time between its answer and the next. The device has to be alone on its line.
 */
export async function wrongRecords(
	records: readonly TelemetryRecord[],
	simulator: SimulatorProcess,
	line: number,
	unitId: number,
): Promise<readonly string[]> {
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the simulator is ours and says nothing else
	const log = (await simulator.control('log', { line })) as readonly Answered[];
	const answers = log.filter(({ outcome }) => outcome === 'answered').map(({ at }) => Number(new Date(at)));
	const seen = new Set<number>();
	const wrong: string[] = [];
	for (const record of records) {
		const mixed = misattribution(record, unitId);
		if (mixed !== null) wrong.push(mixed);
		const reads = member(record.payload, 'reads');
		if (typeof reads !== 'number') continue;
		if (seen.has(reads)) wrong.push(`answer ${reads} is there twice`);
		seen.add(reads);
		const answeredAt = answers[reads - 1];
		const nextAt = answers[reads] ?? Number.POSITIVE_INFINITY;
		const recordedAt = Date.parse(record.recorded_at);
		if (answeredAt === undefined) wrong.push(`answer ${reads} was never given`);
		else if (recordedAt < answeredAt - CLOCKS_APART_MS || recordedAt > nextAt + CLOCKS_APART_MS)
			wrong.push(`answer ${reads} carries a wrong instant: ${record.recorded_at}`);
	}
	return wrong;
}
