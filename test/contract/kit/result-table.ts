import { NOT_PROVOKED } from './derived-cases.ts';
import { nameOf, type Operation, type Reference } from './document.ts';

interface Result {
	readonly status: number;
	/** What went wrong; empty: it passed. */
	readonly mistakes: readonly string[];
}

/** What came out of the cases, operation by operation. */
export interface ResultTable {
	note(operation: Operation, result: Result): void;
	/** A line for each operation of each reference, and their totals. */
	lines(): readonly string[];
}

const REFERENCES: readonly Reference[] = ['000', '002'];

export function createResultTable(operations: readonly Operation[]): ResultTable {
	const results = new Map<string, Result[]>(operations.map((operation) => [operation.id, []]));

	function lineOf(reference: Reference, operation: Operation): string {
		const own = results.get(operation.id) ?? [];
		const ok = own.filter(({ status }) => status < 300).length;
		const refused = own.length - ok;
		const failed = own.filter(({ mistakes }) => mistakes.length > 0).length;
		const verdict = failed === 0 && ok > 0 ? 'pass' : `FAIL (${failed})`;
		return `${reference}  ${nameOf(operation).padEnd(48)} ok ${String(ok).padStart(2)}  refused ${String(refused).padStart(3)}  ${verdict}`;
	}

	return {
		note: (operation, result) => void results.get(operation.id)?.push(result),
		lines() {
			const lines = REFERENCES.flatMap((reference) =>
				operations
					.filter(({ sources }) => sources.some((source) => source.reference === reference))
					.map((operation) => lineOf(reference, operation)),
			);
			const passed = lines.filter((line) => line.endsWith('pass')).length;
			const calls = [...results.values()].reduce((sum, own) => sum + own.length, 0);
			return [
				...lines,
				`${lines.length} operations, ${passed} pass; ${calls} calls checked against their documents`,
				...Object.entries(NOT_PROVOKED).map(([status, reason]) => `${status}: ${reason}`),
			];
		},
	};
}
