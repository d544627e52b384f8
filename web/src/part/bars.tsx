import { NONE, formatValue } from '../format.ts';
import { type BarSpan, labelOf, shortOf } from '../state/calendar.ts';
import { th } from '../text-history.ts';
import type { AggregateView } from '../wire-completeness.ts';
import { Columns } from './columns.tsx';

interface Bar {
	readonly at: string;
	readonly label: string;
	readonly short: string;
	/** `null`: the counter has no values there. */
	readonly value: number | null;
}

interface BarsProps {
	readonly answer: AggregateView;
	readonly point: string;
	readonly unit: string;
	readonly span: BarSpan;
	readonly zone: string;
}

/** Bars with a name below: all of a year; of a day and of a month each so many. */
const NAMED_EVERY: Readonly<Record<BarSpan, number>> = { day: 4, month: 5, year: 1 };

function barsOf({ answer, point, span, zone }: BarsProps): readonly Bar[] {
	const [label, short] = [labelOf(span, zone), shortOf(span, zone)];
	const increase = answer.points[point]?.increase ?? [];
	return answer.starts.map((at, index) => {
		const found = increase[index] ?? null;
		return {
			at,
			label: label(Date.parse(at)),
			short: short(Date.parse(at)),
			value: found === null ? null : Number(found),
		};
	});
}

const total = (numbers: readonly (number | null)[]): number =>
	numbers.reduce<number>((sum, each) => sum + (each ?? 0), 0);

/** What a counter has counted, bar by bar; the same as numbers for who wants them. */
export function Bars(props: BarsProps) {
	const { answer, point, unit, span } = props;
	const bars = barsOf(props);
	const top = Math.max(...bars.map(({ value }) => value ?? 0));
	const resets = total(answer.points[point]?.resets ?? []);
	if (bars.every(({ value }) => value === null)) return <p class="quiet">{th('energy.none')}</p>;
	const sum = formatValue(total(bars.map(({ value }) => value)));
	return (
		<>
			<p class="bar-sum">
				{th('energy.sum')} <strong>{sum}</strong> <span class="unit">{unit}</span>
				<span class="quiet">{th('energy.top', { value: formatValue(top), unit })}</span>
			</p>
			<ol class="bars">
				{bars.map(({ at, label, short, value }, index) => {
					const text =
						value === null
							? th('energy.noValue', { when: label })
							: th('energy.bar', { when: label, value: formatValue(value), unit });
					const height = value === null || top <= 0 ? 0 : Math.max(0, value / top);
					return (
						<li key={at} title={text}>
							<span class="unseen">{text}</span>
							<span class="bar-room" aria-hidden="true">
								<span
									class={value === null ? 'bar-none' : 'bar-fill'}
									style={{ blockSize: `${(height * 100).toFixed(2)}%` }}
								/>
							</span>
							<span class="bar-name" aria-hidden="true">
								{index % NAMED_EVERY[span] === 0 ? short : ''}
							</span>
						</li>
					);
				})}
			</ol>
			{resets > 0 && <p class="warn-text">{th('energy.resets', { n: resets })}</p>}
			{!answer.exact && <p class="quiet">{th('energy.estimated')}</p>}
			<details>
				<summary>{th('energy.table')}</summary>
				<Columns
					columns={[
						{ title: { words: th('energy.when') }, cell: ({ label }: Bar) => <>{label}</> },
						{
							title: { words: th('energy.amount') },
							numeric: true,
							cell: ({ value }: Bar) => <>{value === null ? NONE : `${formatValue(value)} ${unit}`}</>,
						},
					]}
					rows={bars}
					rowKey={({ at }) => at}
				/>
			</details>
		</>
	);
}
