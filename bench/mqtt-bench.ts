import { startMosquitto } from './mosquitto.ts';
import { type BrokerKind, type BrokerProcess, measuredBy, startBrokerProcess, startLoad } from './mqtt-rig.ts';
import { median, type Row, table } from './table.ts';

const PUBLISHERS = 50;
/** Messages of one publisher that are under way: what Mosquitto's clients allow by default. */
const WINDOW = 20;
const IDLE_CLIENTS = 1_000;
const STALL_SECONDS = 5;

/** The limits: throughput of the broker against stock aedes, memory of an idle client, gap at a healthy client. */
const LEAST_RATIO = 0.8;
const MOST_IDLE_KB = 60;
const MOST_GAP_MS = 500;

export interface MqttBenchOptions {
	readonly rounds: number;
	readonly warmSeconds: number;
	/** Of one measurement of throughput. */
	readonly seconds: number;
}

interface Part {
	readonly report: string;
	readonly isWithinLimits: boolean;
}

type Measured = Readonly<Record<string, unknown>>;

const numberOf = (measured: Measured, name: string): number => Number(measured[name] ?? Number.NaN);

async function loadOf(broker: BrokerProcess, { warmSeconds, seconds }: MqttBenchOptions): Promise<Measured> {
	return measuredBy(
		startLoad('mqtt-load', {
			port: broker.port,
			publishers: PUBLISHERS,
			window: WINDOW,
			warm: warmSeconds,
			seconds,
			passwords: broker.passwords.join(','),
			pid: broker.pid,
		}),
	);
}

function loadRow(name: string, rounds: readonly Measured[]): Row {
	const middle = (column: string): number => median(rounds.map((round) => numberOf(round, column)));
	return {
		broker: name,
		'messages/s': Math.round(middle('messages_per_s')),
		'cpu us/message': middle('cpu_us'),
		'age p50 ms': middle('age_p50_ms'),
		'age p99 ms': middle('age_p99_ms'),
	};
}

/** 50 publishers to one subscriber at QoS 1, each broker fresh in each round and in turn. The limit is that of the broker by itself. */
async function throughput(options: MqttBenchOptions): Promise<Part> {
	const starts: readonly (() => Promise<BrokerProcess | null>)[] = [
		() => startBrokerProcess('stock', 0),
		() => startBrokerProcess('broker', PUBLISHERS),
		() => startBrokerProcess('drawbridge', PUBLISHERS),
		startMosquitto,
	];
	const rounds = new Map<string, Measured[]>();
	for (let round = 0; round < options.rounds; round += 1)
		for (const start of starts) {
			const broker = await start();
			if (broker === null) continue;
			try {
				rounds.set(broker.name, [...(rounds.get(broker.name) ?? []), await loadOf(broker, options)]);
			} finally {
				await broker.stop();
			}
		}
	const rates = (name: string): readonly number[] =>
		(rounds.get(name) ?? []).map((measured) => numberOf(measured, 'messages_per_s'));
	const stock = rates('stock');
	const cpu = (name: string): number =>
		median((rounds.get(name) ?? []).map((measured) => numberOf(measured, 'cpu_us')));
	const ratioOf = (name: string): number =>
		median(rates(name).map((rate, round) => rate / (stock[round] ?? Number.NaN)));
	const ratioRow = (name: string): Row => ({
		broker: `${name} / stock`,
		'messages/s': ratioOf(name),
		'cpu us/message': cpu(name) / cpu('stock'),
	});
	const measuredRows = [...rounds].map(([name, measured]) => loadRow(name, measured));
	return {
		report: table([...measuredRows, ratioRow('broker'), ratioRow('drawbridge')]),
		isWithinLimits: ratioOf('broker') >= LEAST_RATIO,
	};
}

/** kB for each client: resident, and of V8's heap and buffers, which room left over from the start cannot hide. */
interface IdleKb {
	readonly resident: number;
	readonly used: number;
}

async function idleKb(kind: BrokerKind): Promise<IdleKb> {
	const broker = await startBrokerProcess(kind, IDLE_CLIENTS);
	try {
		const before = await broker.memory();
		const clients = startLoad('mqtt-idle', {
			port: broker.port,
			clients: IDLE_CLIENTS,
			passwords: broker.passwords.join(','),
		});
		try {
			await clients.ready();
			const after = await broker.memory();
			const kbEach = (bytes: number): number => bytes / IDLE_CLIENTS / 1_000;
			return {
				resident: kbEach(after.rssBytes - before.rssBytes),
				used: kbEach(after.usedBytes - before.usedBytes),
			};
		} finally {
			await clients.stop();
		}
	} finally {
		await broker.stop();
	}
}

const idleRow = (broker: string, { resident, used }: IdleKb): Row => ({
	broker,
	'resident kB per idle client': resident,
	'used kB per idle client': used,
});

async function idle(): Promise<Part> {
	const stock = await idleKb('stock');
	const product = await idleKb('drawbridge');
	const ratio = { resident: product.resident / stock.resident, used: product.used / stock.used };
	return {
		report: table([idleRow('stock', stock), idleRow('drawbridge', product), idleRow('drawbridge / stock', ratio)]),
		isWithinLimits: Math.max(product.resident, product.used) <= MOST_IDLE_KB,
	};
}

async function stalled(kind: BrokerKind): Promise<Measured> {
	const broker = await startBrokerProcess(kind, 1);
	try {
		const fields = { port: broker.port, seconds: STALL_SECONDS, passwords: broker.passwords.join(',') };
		return await measuredBy(startLoad('mqtt-stall', fields));
	} finally {
		await broker.stop();
	}
}

async function frozen(): Promise<Part> {
	const rows = new Map<string, Measured>([
		['stock', await stalled('stock')],
		['drawbridge', await stalled('drawbridge')],
	]);
	const report = [...rows].map(([broker, measured]) => ({
		broker,
		'longest gap ms': numberOf(measured, 'longest_gap_ms'),
		messages: numberOf(measured, 'messages'),
	}));
	const gap = numberOf(rows.get('drawbridge') ?? {}, 'longest_gap_ms');
	return { report: table(report), isWithinLimits: gap <= MOST_GAP_MS };
}

/**
 * The local broker with logins, topic rules and acknowledgement after the durable commit beside stock aedes, which has none of it, and the
 * same with all that a gateway does with a message: throughput, memory of idle clients, and what a frozen subscriber does to the others.
 */
export async function runMqttBench(options: MqttBenchOptions): Promise<Part> {
	const parts = [await throughput(options), await idle(), await frozen()];
	return {
		report: parts.map(({ report }) => report).join('\n\n'),
		isWithinLimits: parts.every(({ isWithinLimits }) => isWithinLimits),
	};
}
