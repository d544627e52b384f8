import type { ComponentChildren } from 'preact';

import { type TextKey, t } from '../text.ts';

export interface Column<T> {
	/** A key of the catalogue of every page, or words of another one. */
	readonly title: TextKey | { readonly words: string };
	readonly cell: (row: T) => ComponentChildren;
	/** Numbers stand at the right, digit below digit. */
	readonly numeric?: boolean;
}

const wordsOf = (title: Column<unknown>['title']): string => (typeof title === 'string' ? t(title) : title.words);

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
						<th key={wordsOf(title)} role="columnheader" class={numeric === true ? 'numeric' : ''}>
							{wordsOf(title)}
						</th>
					))}
				</tr>
			</thead>
			<tbody role="rowgroup">
				{rows.map((row) => (
					<tr key={rowKey(row)} role="row">
						{columns.map(({ title, cell, numeric }) => (
							<td
								key={wordsOf(title)}
								role="cell"
								class={numeric === true ? 'numeric' : ''}
								data-title={wordsOf(title)}
							>
								{cell(row)}
							</td>
						))}
					</tr>
				))}
			</tbody>
		</table>
	);
}
