import { portOf, startChild } from '../demo/child.ts';
import { buildWithLibmodbus, type NativeProgram } from './libmodbus.ts';
import { measuredBy, pin, startLoad } from './mqtt-rig.ts';
import { loadProgram } from './stamp-devices.ts';
import { median, type Row, table } from './table.ts';

const REGISTERS = 100;
/** Requests under way where the slave allows it: the most a line may be given. */
const DEPTH = 16;
const SLAVE_PROCESSOR = '0';
const CLIENT_PROCESSOR = '1';

/** The limits: processor time of a request against the bare socket at depth 1; rate with pipelining against libmodbus' one connection. */
const MOST_CPU_RATIO = 1.7;
const LEAST_RATE_RATIO = 1;

export interface ModbusTcpBenchOptions {
	readonly rounds: number;
	readonly warmSeconds: number;
	/** Of one measurement. */
	readonly seconds: number;
}

interface Outcome {
	readonly report: string;
	readonly isWithinLimits: boolean;
}

type Measured = Readonly<Record<string, unknown>>;

interface Contender {
	readonly name: string;
	measure(port: number): Promise<Measured>;
}

const numberOf = (measured: Measured | undefined, column: string): number => Number(measured?.[column] ?? Number.NaN);

function contenders(options: ModbusTcpBenchOptions, libmodbus: NativeProgram | null): readonly Contender[] {
	const times = { warm: options.warmSeconds, seconds: options.seconds };
	const ours = (kind: string, depth: number): Contender => ({
		name: `${kind}, ${depth} under way`,
		measure: (port) => measuredBy(startLoad('modbus-tcp-load', { kind, port, depth, registers: REGISTERS, ...times })),
	});
	const native = (program: NativeProgram): Contender => ({
		name: 'libmodbus',
		async measure(port) {
			const args = [port, REGISTERS, times.warm, times.seconds].map(String);
			// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the program prints one object of numbers
			return JSON.parse(await program.run(CLIENT_PROCESSOR, args)) as Measured;
		},
	});
	return [
		ours('net', 1),
		ours('drawbridge', 1),
		ours('modbus-serial', 1),
		...(libmodbus === null ? [] : [native(libmodbus)]),
		ours('net', DEPTH),
		ours('drawbridge', DEPTH),
		ours('modbus-serial', DEPTH),
	];
}

/** Every contender in each round and in turn, at one slave in a process of its own. */
async function measureAll(
	all: readonly Contender[],
	rounds: number,
): Promise<ReadonlyMap<string, readonly Measured[]>> {
	const slave = startChild({ name: 'slave', args: [loadProgram('modbus-tcp-slave'), `--registers=${REGISTERS}`] });
	const measured = new Map<string, Measured[]>();
	try {
		const port = portOf(await slave.ready(), 'port');
		pin(slave.pid, SLAVE_PROCESSOR);
		for (let round = 0; round < rounds; round += 1) {
			for (const each of all) measured.set(each.name, [...(measured.get(each.name) ?? []), await each.measure(port)]);
		}
	} finally {
		await slave.stop();
	}
	return measured;
}

/** 100 registers of one slave over one connection: the line of the gateway beside the bare socket, modbus-serial and libmodbus. */
export async function runModbusTcpBench(options: ModbusTcpBenchOptions): Promise<Outcome> {
	const libmodbus = await buildWithLibmodbus('libmodbus-client');
	try {
		const measured = await measureAll(contenders(options, libmodbus), options.rounds);
		const rows = [...measured].map(([client, rounds]): Row => {
			const middle = (column: string): number => median(rounds.map((round) => numberOf(round, column)));
			return {
				client,
				'requests/s': Math.round(middle('requests_per_s')),
				'cpu us/request': middle('cpu_us'),
				'p50 us': middle('p50_us'),
				'p99 us': middle('p99_us'),
			};
		});
		/** Within each round, since the machine wanders between them. */
		const ratioOf = (name: string, base: string, column: string): number =>
			median(
				(measured.get(name) ?? []).map(
					(round, index) => numberOf(round, column) / numberOf(measured.get(base)?.[index], column),
				),
			);
		const cpuRatio = ratioOf('drawbridge, 1 under way', 'net, 1 under way', 'cpu_us');
		const stockRatio = ratioOf('modbus-serial, 1 under way', 'net, 1 under way', 'cpu_us');
		const rateRatio = ratioOf(`drawbridge, ${DEPTH} under way`, 'libmodbus', 'requests_per_s');
		const report = [
			table(rows),
			'',
			`processor time of a request, drawbridge / bare socket: ${cpuRatio.toFixed(2)} (at most ${MOST_CPU_RATIO}); modbus-serial: ${stockRatio.toFixed(2)}`,
			libmodbus === null
				? 'libmodbus is not measured: gcc or libmodbus-dev is missing'
				: `requests/s with ${DEPTH} under way, drawbridge / libmodbus: ${rateRatio.toFixed(2)} (more than ${LEAST_RATE_RATIO})`,
		].join('\n');
		const isFast = libmodbus === null || rateRatio > LEAST_RATE_RATIO;
		return { report, isWithinLimits: cpuRatio <= MOST_CPU_RATIO && isFast };
	} finally {
		await libmodbus?.remove();
	}
}
