import type { ComponentChildren } from 'preact';

import { type TextKey, t } from '../text.ts';

export interface Column<T> {
	readonly title: TextKey;
	readonly cell: (row: T) => ComponentChildren;
	/** Numbers stand at the right, digit below digit. */
	readonly numeric?: boolean;
}

interface ColumnsProps<T> {
	readonly columns: readonly Column<T>[];
	readonly rows: readonly T[];
	readonly rowKey: (row: T) => string;
}

/** A plain table; on a phone each row becomes a card in which every value carries its column's title. */
export function Columns<T>({ columns, rows, rowKey }: ColumnsProps<T>) {
	return (
		<table class="columns" role="table">
			<thead role="rowgroup">
				<tr role="row">
					{columns.map(({ title, numeric }) => (
						<th key={title} role="columnheader" class={numeric === true ? 'numeric' : ''}>
							{t(title)}
						</th>
					))}
				</tr>
			</thead>
			<tbody role="rowgroup">
				{rows.map((row) => (
					<tr key={rowKey(row)} role="row">
						{columns.map(({ title, cell, numeric }) => (
							<td key={title} role="cell" class={numeric === true ? 'numeric' : ''} data-title={t(title)}>
								{cell(row)}
							</td>
						))}
					</tr>
				))}
			</tbody>
		</table>
	);
}
