import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** One number with its labels. */
export interface MetricValue {
	readonly value: number;
	readonly labels?: Readonly<Record<string, string>>;
}

export interface MetricDefinition {
	/** Without the prefix, with its unit last, e.g. `journal_bytes`; counters end in `_total`. */
	readonly name: string;
	readonly help: string;
	/** `counter` only grows while the process lives. */
	readonly kind: 'counter' | 'gauge';
	/** Names of all labels that `read` may give. */
	readonly labels?: readonly string[];
	/** Called at each scrape. Must not wait; what it throws leaves this metric out. */
	read(): readonly MetricValue[];
}

/** A distribution with its labels, as it was counted elsewhere. */
interface HistogramValue {
	/** Values up to each edge, those of the edges before it included; the last edge is `Infinity`. */
	readonly buckets: readonly { readonly upTo: number; readonly count: number }[];
	readonly sum: number;
	readonly labels: Readonly<Record<string, string>>;
}

interface HistogramDefinition extends Pick<MetricDefinition, 'name' | 'help'> {
	/** Called at each scrape. Must neither wait nor throw. */
	read(): readonly HistogramValue[];
}

/** The numbers of `/metrics`. Features add theirs; nothing is counted twice, because values are read when they are asked for. */
export interface Metrics {
	add(metric: MetricDefinition): void;
	addHistogram(metric: HistogramDefinition): void;
	/** The text format of Prometheus. */
	text(): Promise<string>;
	readonly contentType: string;
}

const PREFIX = 'drawbridge_';

function fill(metric: Counter | Gauge, definition: MetricDefinition): void {
	metric.reset();
	try {
		for (const { value, labels = {} } of definition.read()) metric.inc({ ...labels }, value);
	} catch {
		metric.reset();
	}
}

const escaped = (value: string): string =>
	value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** One histogram in the text format of Prometheus (version 0.0.4); the library has none that is counted elsewhere. */
function histogramText(definition: HistogramDefinition): string {
	const { help } = definition;
	const name = PREFIX + definition.name;
	const rows = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
	for (const { buckets, sum, labels } of definition.read()) {
		const own = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
		for (const { upTo, count } of buckets) {
			const edge = Number.isFinite(upTo) ? String(upTo) : '+Inf';
			rows.push(`${name}_bucket{${[...own, `le="${edge}"`].join(',')}} ${count}`);
		}
		rows.push(`${name}_sum{${own.join(',')}} ${sum}`, `${name}_count{${own.join(',')}} ${buckets.at(-1)?.count ?? 0}`);
	}
	return `${rows.join('\n')}\n`;
}

/** A registry of its own, so that two boxes can live in one process. */
export function createMetrics(): Metrics {
	const registry = new Registry();
	const histograms: HistogramDefinition[] = [];
	collectDefaultMetrics({ register: registry });

	return {
		add(definition) {
			const { name, help, kind, labels = [] } = definition;
			const common = { name: PREFIX + name, help, labelNames: [...labels], registers: [registry] };
			if (kind === 'counter') {
				const counter: Counter = new Counter({ ...common, collect: () => fill(counter, definition) });
			} else {
				const gauge: Gauge = new Gauge({ ...common, collect: () => fill(gauge, definition) });
			}
		},
		addHistogram(definition) {
			histograms.push(definition);
		},
		async text() {
			const plain = await registry.metrics();
			return [plain, ...histograms.map(histogramText)].join('\n');
		},
		contentType: registry.contentType,
	};
}
