/** Values by metric name; series that differ only in labels are added up. */
export type Metrics = ReadonlyMap<string, number>;

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{.*\})?\s+(\S+)(?:\s+\d+)?$/;
const FETCH_WITHIN_MS = 900;

/** Reads the text format of Prometheus (0.0.4). Lines that are none of it are left out. */
export function parseMetrics(text: string): Metrics {
	const metrics = new Map<string, number>();
	for (const line of text.split('\n')) {
		const [, name, value] = LINE.exec(line.trim()) ?? [];
		if (name !== undefined) metrics.set(name, (metrics.get(name) ?? 0) + Number(value));
	}
	return metrics;
}

/** The metrics of a program on loopback; null when it does not answer in time. */
export async function fetchMetrics(port: number): Promise<Metrics | null> {
	try {
		const response = await fetch(`http://127.0.0.1:${port}/metrics`, {
			signal: AbortSignal.timeout(FETCH_WITHIN_MS),
		});
		return response.ok ? parseMetrics(await response.text()) : null;
	} catch {
		return null;
	}
}
