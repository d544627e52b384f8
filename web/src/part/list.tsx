import type { ComponentChildren } from 'preact';

import type { Polled } from '../state/poll.ts';
import { t } from '../text.ts';
import { type Column, Columns } from './columns.tsx';

interface PolledColumnsProps<T> {
	readonly list: Polled<readonly T[]>;
	readonly columns: readonly Column<T>[];
	readonly rowKey: (row: T) => string;
	/** Shown when there is nothing. */
	readonly empty: string;
}

/** A list that is asked for again and again: loading, problem, nothing, or its rows. */
export function PolledColumns<T>({ list, columns, rowKey, empty }: PolledColumnsProps<T>) {
	const rows = list.data.value;
	return (
		<>
			<Problem>{list.error.value}</Problem>
			{rows === null && list.error.value === null && <p class="quiet">{t('app.loading')}</p>}
			{rows?.length === 0 && <p class="quiet">{empty}</p>}
			{rows !== null && rows.length > 0 && <Columns columns={columns} rows={rows} rowKey={rowKey} />}
		</>
	);
}

/** A sentence about what went wrong; nothing without one. */
export function Problem({ children }: { readonly children: ComponentChildren }) {
	return children === null ? null : (
		<p class="mistake" role="alert">
			{children}
		</p>
	);
}
