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

/** The numbers of `/metrics`. Features add theirs; nothing is counted twice, because values are read when they are asked for. */
export interface Metrics {
	add(metric: MetricDefinition): void;
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

/** A registry of its own, so that two boxes can live in one process. */
export function createMetrics(): Metrics {
	const registry = new Registry();
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
		text: () => registry.metrics(),
		contentType: registry.contentType,
	};
}
