import type { ComponentChildren } from 'preact';

import { NONE, formatCount, formatTime } from '../format.ts';
import { tl } from '../text-ledger.ts';
import type { BootView, LedgerView } from '../wire-completeness.ts';
import type { Column } from './columns.tsx';
import { type FactEntry, Facts } from './facts.tsx';
import { MoreColumns } from './more.tsx';
import { Reason } from './reason.tsx';
import { type ReasonEntry, Reasons } from './reasons.tsx';
import { Status } from './status.tsx';

type Hole = LedgerView['holes'][number];

/** Stretches that this page names; the newest ones. */
const MOST_HOLES = 500;
const MOST_BOOTS = 200;

function whenOf({ from, to }: Hole): string {
	if (from === null || to === null) return tl('ledger.whenUnknown');
	return tl('ledger.range', { first: formatTime(from), last: formatTime(to) });
}

const HOLE_COLUMNS: readonly Column<Hole>[] = [
	{
		title: { words: tl('ledger.why') },
		cell: ({ reason }) => <Reason reason={reason} />,
	},
	{ title: { words: tl('ledger.when') }, cell: (hole) => <>{whenOf(hole)}</> },
	{
		title: { words: tl('ledger.samples') },
		numeric: true,
		cell: ({ first, last }) => <>{formatCount(last - first + 1)}</>,
	},
	{
		title: { words: tl('ledger.numbers') },
		numeric: true,
		cell: ({ epoch, first, last }) => (
			<>
				{tl('ledger.range', { first: formatCount(first), last: formatCount(last) })}
				<small>{tl('ledger.boot', { n: epoch })}</small>
			</>
		),
	},
];

const BOOT_COLUMNS: readonly Column<BootView>[] = [
	{ title: { words: tl('ledger.number') }, cell: ({ epoch }) => <strong>{tl('ledger.boot', { n: epoch })}</strong> },
	{ title: { words: tl('ledger.from') }, cell: ({ from }) => <>{formatTime(from)}</> },
	{ title: { words: tl('ledger.to') }, cell: ({ to }) => <>{formatTime(to)}</> },
];

function factsOf(ledger: LedgerView): readonly FactEntry[] {
	const { received_samples: received, boots } = ledger;
	return [
		...(received === undefined ? [] : [{ name: tl('ledger.received'), value: formatCount(received) }]),
		{ name: tl('ledger.missing'), value: formatCount(ledger.missing_samples) },
		{ name: tl('ledger.lost'), value: formatCount(ledger.declared_lost_samples) },
		{ name: tl('ledger.boots'), value: boots.length === 0 ? NONE : formatCount(boots.length) },
	];
}

const reasonsOf = ({ missing_samples: missing, lost_by_reason: lost }: LedgerView): readonly ReasonEntry[] =>
	[['in-transit', missing] as const, ...Object.entries(lost)]
		.filter(([, samples]) => samples > 0)
		.map(([reason, samples]) => ({ reason, amount: tl('ledger.count', { n: formatCount(samples) }) }));

function Verdict({ ledger }: { readonly ledger: LedgerView }) {
	if (ledger.missing_samples > 0) return <Reason reason="in-transit" />;
	return (
		<Status tone="ok" icon="ok">
			{tl(ledger.declared_lost_samples > 0 ? 'ledger.completeButLost' : 'ledger.complete')}
		</Status>
	);
}

/** How complete a gateway's readings are at its hub, and why the rest is not there. */
export function LedgerCard({
	ledger,
	children,
}: {
	readonly ledger: LedgerView;
	/** What can be done about it. */
	readonly children?: ComponentChildren;
}) {
	const holes = ledger.holes.toReversed().slice(0, MOST_HOLES);
	const boots = ledger.boots.toReversed().slice(0, MOST_BOOTS);
	return (
		<section class="card ledger">
			<div class="title-row">
				<h2>{tl('ledger.title')}</h2>
				<Verdict ledger={ledger} />
			</div>
			<Facts entries={factsOf(ledger)} />
			<Reasons entries={reasonsOf(ledger)} />
			{children}
			{holes.length > 0 && (
				<>
					<h3>{tl('ledger.holes')}</h3>
					<MoreColumns
						columns={HOLE_COLUMNS}
						rows={holes}
						rowKey={({ epoch, first, reason }) => `${epoch}/${first}/${reason}`}
					/>
				</>
			)}
			{boots.length > 0 && (
				<details>
					<summary>{tl('ledger.boots')}</summary>
					<MoreColumns columns={BOOT_COLUMNS} rows={boots} rowKey={({ epoch }) => String(epoch)} />
				</details>
			)}
		</section>
	);
}
