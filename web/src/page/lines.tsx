import type { Column } from '../part/columns.tsx';
import { latencyText } from '../part/latency.tsx';
import { PolledColumns } from '../part/list.tsx';
import { Status } from '../part/status.tsx';
import { formatCount, formatShare } from '../format.ts';
import { link } from '../router.ts';
import { lineLook, sentenceOn } from '../state/line-look.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { type FieldTextKey, tf } from '../text-field.ts';
import { t } from '../text.ts';
import type { BudgetView, LineView } from '../wire-field.ts';

const PERIOD_MS = 2_000;
const BUDGET_PERIOD_MS = 10_000;

const counter = (title: FieldTextKey, read: (line: LineView) => number): Column<LineView> => ({
	title: { words: tf(title) },
	numeric: true,
	cell: (line) => formatCount(read(line)),
});

/** Why it is not as it should be: what stops it, who has it, what it cannot keep up with. */
function Troubles({ line, budget }: { readonly line: LineView; readonly budget: BudgetView | undefined }) {
	const leased = line.leased_to === null ? null : tf('line.leased', { who: line.leased_to });
	const sentences = [line.reason, leased, line.overrun ?? budget?.sentence ?? null];
	return (
		<>
			{sentences.map(
				(sentence) =>
					sentence !== null && (
						<small class="reason" key={sentence}>
							{sentenceOn(line.line, sentence)}
						</small>
					),
			)}
		</>
	);
}

const columnsWith = (budgets: ReadonlyMap<string, BudgetView>): readonly Column<LineView>[] => [
	{
		title: { words: tf('lines.line') },
		cell: ({ line }) => (
			<a class="cell-link id" href={link('lines', line)}>
				{line}
			</a>
		),
	},
	{
		title: { words: tf('lines.state') },
		cell: (line) => (
			<>
				<Status {...lineLook(line.state)}>{line.state}</Status>
				<Troubles line={line} budget={budgets.get(line.line)} />
			</>
		),
	},
	{ title: { words: tf('lines.busy') }, numeric: true, cell: ({ utilisation }) => formatShare(utilisation) },
	{ title: { words: tf('lines.latency') }, numeric: true, cell: latencyText },
	counter('lines.answers', (line) => line.answers),
	counter('lines.timeouts', (line) => line.timeouts),
	counter('lines.exceptions', (line) => line.exceptions),
	counter('lines.crc', (line) => line.crc_errors),
];

/** The wires, how well they are used, and the installer's tools. */
export function LinesPage() {
	const { me } = useServices();
	const lines = usePoll<readonly LineView[]>('/api/v1/lines', PERIOD_MS);
	const budgets = usePoll<readonly BudgetView[]>('/api/v1/lines/budget', BUDGET_PERIOD_MS);
	const byLine = new Map((budgets.data.value ?? []).map((budget) => [budget.line, budget]));
	return (
		<>
			<div class="title-row">
				<h1>{t('nav.lines')}</h1>
				<span class="spring" />
				{me.may('devices:write') && (
					<>
						<a class="button primary" href={link('scan')}>
							{tf('lines.scan')}
						</a>
						<a class="button" href={link('try')}>
							{tf('lines.try')}
						</a>
					</>
				)}
				<a class="button" href={link('templates')}>
					{t('nav.templates')}
				</a>
				{me.may('gateways:configure') && (
					<a class="button" href={link('commissioning')}>
						{tf('lines.report')}
					</a>
				)}
			</div>
			<PolledColumns list={lines} columns={columnsWith(byLine)} rowKey={({ line }) => line} empty={tf('lines.empty')} />
		</>
	);
}
