import Joi from 'joi';

import { measuredBy, pin } from './mqtt-rig.ts';
import { startChild } from '../demo/child.ts';
import { loadProgram } from './stamp-devices.ts';
import { median, type Row, table } from './table.ts';

/** Of the whole way, on one processor. */
const LEAST_SAMPLES_PER_SECOND = 50_000;
const PROCESSOR = '0';
/** As the first line of the command says. */
const MEMORY_FLAG = '--max-semi-space-size=4';

export interface IngestBenchOptions {
	readonly rounds: number;
	/** Of one measurement of each contender; bounded, because a run has three of them in each round. */
	readonly seconds: number;
}

interface Rate {
	readonly samplesPerSecond: number;
	readonly cpuUsPerSample: number;
}

const rates = Joi.array()
	.items(Joi.object({ samplesPerSecond: Joi.number(), cpuUsPerSample: Joi.number() }))
	.required();
const measuredSchema = Joi.object<Record<'polled' | 'messages' | 'journal', readonly Rate[]>>({
	polled: rates,
	messages: rates,
	journal: rates,
}).required();

const MOST_SECONDS = 1.5;

/** The whole way of a sample through a gateway, everything pinned to one processor, beside the journal alone. */
export async function runIngestBench(
	options: IngestBenchOptions,
): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	const seconds = Math.min(options.seconds, MOST_SECONDS);
	const child = startChild({
		name: 'ingest',
		args: [MEMORY_FLAG, loadProgram('ingest-path'), '--seconds', String(seconds), '--rounds', String(options.rounds)],
	});
	pin(child.pid, PROCESSOR);
	const { value, error } = measuredSchema.validate(await measuredBy(child));
	if (error !== undefined) throw error;
	const rateOf = (name: keyof typeof value): number =>
		median(value[name].map(({ samplesPerSecond }) => samplesPerSecond));
	const row = (name: keyof typeof value, title: string): Row => {
		const all = value[name].map(({ samplesPerSecond }) => samplesPerSecond);
		return {
			'way of a sample': title,
			'samples/s': Math.round(rateOf(name)),
			lowest: Math.round(Math.min(...all)),
			highest: Math.round(Math.max(...all)),
			'cpu us/sample': median(value[name].map(({ cpuUsPerSample }) => cpuUsPerSample)),
			'/ journal': rateOf(name) / rateOf('journal'),
		};
	};
	return {
		report: table([
			row('polled', 'polled readings, whole way'),
			row('messages', 'MQTT messages, whole way'),
			row('journal', 'journal alone'),
		]),
		isWithinLimits: rateOf('polled') >= LEAST_SAMPLES_PER_SECOND && rateOf('messages') >= LEAST_SAMPLES_PER_SECOND,
	};
}
