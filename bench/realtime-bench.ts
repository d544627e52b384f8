import Joi from 'joi';

import { type Child, portOf, startChild } from '../demo/child.ts';
import { loadProgram } from './stamp-devices.ts';
import { type Row, median, table } from './table.ts';

const CLIENTS = 500;
/** Messages a second, as a share of what plain `ws` reaches in the same run. */
const LEAST_RATIO = 0.9;

/** How long the bench takes: rounds of both servers in turn. */
export interface RealtimeBenchOptions {
	readonly rounds: number;
	readonly warmSeconds: number;
	readonly seconds: number;
}

interface Measurement {
	readonly messages_per_s: number;
	readonly cpu_us_per_message: number;
	readonly rss_mb: number;
}

interface Contender {
	readonly kind: 'ws' | 'drawbridge';
	readonly child: Child;
	readonly port: number;
	readonly controlPort: number;
	readonly measured: Measurement[];
}

const measuredSchema = Joi.object<Measurement & { readonly event: string }>({
	event: Joi.valid('measured').required(),
	messages_per_s: Joi.number().unsafe().required(),
	cpu_us_per_message: Joi.number().unsafe().required(),
	rss_mb: Joi.number().unsafe().required(),
});

async function start(kind: Contender['kind'], own: (child: Child) => void): Promise<Contender> {
	const child = startChild({ name: kind, args: [loadProgram('fanout-server'), '--kind', kind] });
	own(child);
	const ready = await child.ready();
	return { kind, child, port: portOf(ready, 'port'), controlPort: portOf(ready, 'control_port'), measured: [] };
}

async function measure(contender: Contender, options: RealtimeBenchOptions): Promise<Measurement> {
	const fields = {
		kind: contender.kind,
		port: contender.port,
		control: contender.controlPort,
		clients: CLIENTS,
		warm: options.warmSeconds,
		seconds: options.seconds,
		pid: contender.child.pid,
	};
	const receiver = startChild({
		name: 'fanout-receiver',
		args: [loadProgram('fanout-receiver'), ...Object.entries(fields).map(([name, value]) => `--${name}=${value}`)],
	});
	await receiver.exited;
	const last = receiver.lastLines().at(-1) ?? '';
	if (!last.startsWith('{')) throw new Error(`the receiver failed:\n${receiver.lastLines().join('\n')}`);
	const { value, error } = measuredSchema.validate(JSON.parse(last));
	if (error !== undefined) throw error;
	return value;
}

function rowOf({ kind, measured }: Contender): Row {
	const middle = (column: keyof Measurement): number => median(measured.map((one) => one[column]));
	const rates = measured.map(({ messages_per_s: rate }) => rate);
	return {
		server: kind,
		'msgs/s p50': Math.round(middle('messages_per_s')),
		'worst to best': `${Math.round(Math.min(...rates))} to ${Math.round(Math.max(...rates))}`,
		'cpu µs/msg': middle('cpu_us_per_message'),
		'rss MB': middle('rss_mb'),
	};
}

/**
 * One device, 500 subscribers in a process of their own, readings as fast as the slowest takes them: the product's `/monitoring` and a bare
 * `ws` server, in turn.
 */
export async function runRealtimeBench(
	options: RealtimeBenchOptions,
): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	const children: Child[] = [];
	const own = (child: Child): void => void children.push(child);
	try {
		const contenders = [await start('ws', own), await start('drawbridge', own)];
		for (let round = 0; round < options.rounds; round += 1)
			for (const contender of contenders) contender.measured.push(await measure(contender, options));
		const rows = contenders.map(rowOf);
		const [floor, product] = rows.map((row) => Number(row['msgs/s p50']));
		const ratio = (product ?? Number.NaN) / (floor ?? Number.NaN);
		return {
			report: `${table(rows)}\n\nmessages/s: ${ratio.toFixed(2)} × ws`,
			isWithinLimits: ratio >= LEAST_RATIO,
		};
	} finally {
		for (const child of children) await child.stop();
	}
}
