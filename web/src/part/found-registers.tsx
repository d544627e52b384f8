import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';

import { formatCount } from '../format.ts';
import { link } from '../router.ts';
import { type RegisterRow, registerRows } from '../state/register-rows.ts';
import { registerPlace } from '../state/spot.ts';
import { tr } from '../text-registers.ts';
import type { AskedRegistersView, FoundRegistersView } from '../wire-field.ts';
import type { Column } from './columns.tsx';
import { type FactEntry, Facts } from './facts.tsx';
import { MoreColumns } from './more.tsx';

interface FoundRegistersProps {
	/** Id of the scan. */
	readonly scan: string;
	readonly asked: AskedRegistersView;
	readonly found: FoundRegistersView;
}

const sizeOf = (spans: readonly { readonly first: number; readonly last: number }[]): string =>
	formatCount(spans.reduce((sum, { first, last }) => sum + last - first + 1, 0));

const factsOf = (found: FoundRegistersView): readonly FactEntry[] => [
	{ name: tr('registers.answered'), value: sizeOf(found.answered) },
	{ name: tr('registers.silent'), value: sizeOf(found.silent) },
	{
		name: tr('registers.cap'),
		value: found.most_per_read_known
			? String(found.most_per_read)
			: tr('registers.capUnknown', { n: found.most_per_read }),
	},
	{ name: tr('registers.reads'), value: formatCount(found.reads) },
];

/** What a unit answered, address by address, and what it could mean. */
export function FoundRegisters({ scan, asked, found }: FoundRegistersProps) {
	const isShort = useSignal(false);
	const rows = useMemo(() => registerRows(asked.function, found), [asked.function, found]);
	const shown = isShort.value ? rows.filter(({ isZero }) => !isZero) : rows;
	return (
		<section data-registers={rows.length}>
			<div class="cards">
				<div class="card">
					<Facts entries={factsOf(found)} />
					{found.pairs_only && <p class="warn-text">{tr('registers.pairs')}</p>}
				</div>
			</div>
			{rows.length === 0 ? (
				<p class="quiet">{tr('registers.nothing')}</p>
			) : (
				<>
					<label class="tick">
						<input
							type="checkbox"
							checked={isShort.value}
							onChange={(event) => (isShort.value = event.currentTarget.checked)}
						/>
						<span>{tr('registers.zeros')}</span>
					</label>
					<p class="quiet" role="status">
						{shown.length === 0
							? tr('registers.allZero')
							: tr('registers.count', { shown: formatCount(shown.length), all: formatCount(rows.length) })}
					</p>
					{shown.length > 0 && (
						<MoreColumns
							key={String(isShort.value)}
							columns={columnsOf(scan)}
							rows={shown}
							rowKey={({ address }) => String(address)}
						/>
					)}
				</>
			)}
		</section>
	);
}

const columnsOf = (scan: string): readonly Column<RegisterRow>[] => [
	{ title: { words: tr('registers.address') }, cell: ({ address }) => address },
	{ title: { words: tr('registers.words') }, cell: ({ words }) => <code>{words.join(' ')}</code> },
	{
		title: { words: tr('registers.meanings') },
		cell: ({ meanings }) => (
			<span class="meanings">
				{meanings.map(({ type, order, value }) => (
					<span key={type + order}>
						<strong>{String(value)}</strong>{' '}
						<small class="quiet">
							{type} {order}
						</small>
					</span>
				))}
			</span>
		),
	},
	{
		title: { words: tr('registers.try') },
		cell: ({ address }) => (
			<a
				class="cell-link"
				href={link('try', registerPlace(scan, address))}
				aria-label={tr('registers.tryAt', { address })}
			>
				{tr('registers.try')}
			</a>
		),
	},
];
