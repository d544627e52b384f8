import { useSignal } from '@preact/signals';

import { th } from '../text-history.ts';
import { type Column, Columns } from './columns.tsx';

/** Rows that are shown at once, and that one more press adds. */
const STEP = 10;

interface MoreColumnsProps<T> {
	readonly columns: readonly Column<T>[];
	readonly rows: readonly T[];
	readonly rowKey: (row: T) => string;
}

/** A list of which the first rows are shown, and more on request. */
export function MoreColumns<T>({ columns, rows, rowKey }: MoreColumnsProps<T>) {
	const shown = useSignal(STEP);
	const count = Math.min(shown.value, rows.length);
	return (
		<>
			<Columns columns={columns} rows={rows.slice(0, count)} rowKey={rowKey} />
			{count < rows.length && (
				<p class="pager">
					<span class="quiet">{th('list.of', { shown: count, all: rows.length })}</span>
					<button type="button" onClick={() => (shown.value += STEP * 5)}>
						{th('list.more', { n: Math.min(STEP * 5, rows.length - count) })}
					</button>
				</p>
			)}
		</>
	);
}
