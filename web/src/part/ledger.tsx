import type { ComponentChildren } from 'preact';

import { NONE, formatCount, formatTime } from '../format.ts';
import { useServices } from '../state/services.ts';
import { type LedgerTextKey, tl } from '../text-ledger.ts';
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

/** Readings are on their way for seconds, and the ledger knows times to the minute. */
const JUST_NOW_MS = 90_000;

/** Read so lately that it is rather on its way than missing. */
const isJustNow = ({ reason, from }: Hole, nowMs: number): boolean =>
	reason === 'in-transit' && from !== null && nowMs - Date.parse(from) < JUST_NOW_MS;

const reasonsOf = (missing: number, { lost_by_reason: lost }: LedgerView): readonly ReasonEntry[] =>
	[['in-transit', missing] as const, ...Object.entries(lost)]
		.filter(([, samples]) => samples > 0)
		.map(([reason, samples]) => ({ reason, amount: tl('ledger.count', { n: formatCount(samples) }) }));

function verdictOf({ missing_samples: missing, declared_lost_samples: lost }: LedgerView): LedgerTextKey {
	if (missing > 0) return 'ledger.justNow';
	return lost > 0 ? 'ledger.completeButLost' : 'ledger.complete';
}

function Verdict({ ledger, isOwed }: { readonly ledger: LedgerView; readonly isOwed: boolean }) {
	if (isOwed) return <Reason reason="in-transit" />;
	return (
		<Status tone="ok" icon="ok">
			{tl(verdictOf(ledger))}
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
	const { clock } = useServices();
	const nowMs = clock.now.peek();
	const told = ledger.holes.filter((hole) => !isJustNow(hole, nowMs));
	const owed = told.some(({ reason }) => reason === 'in-transit') ? ledger.missing_samples : 0;
	const holes = told.toReversed().slice(0, MOST_HOLES);
	const boots = ledger.boots.toReversed().slice(0, MOST_BOOTS);
	return (
		<section class="card ledger">
			<div class="title-row">
				<h2>{tl('ledger.title')}</h2>
				<Verdict ledger={ledger} isOwed={owed > 0} />
			</div>
			<Facts entries={factsOf(ledger)} />
			<Reasons entries={reasonsOf(owed, ledger)} />
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
