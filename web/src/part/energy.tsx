import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';

import { pointName } from '../format.ts';
import { BUCKETS, type BarSpan, barSpan, ownZone, titleOf } from '../state/calendar.ts';
import type { PointValues } from '../state/devices.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { th } from '../text-history.ts';
import type { AggregateView } from '../wire-completeness.ts';
import type { DeviceView } from '../wire.ts';
import { Answer } from './answer.tsx';
import { Bars } from './bars.tsx';

const SPANS: readonly BarSpan[] = ['day', 'month', 'year'];
const PERIOD_MS = 60_000;
/** Units of what only grows: energy of all kinds, and volumes of gas, water and heat. */
const COUNTED = /^(?:[kMG]?(?:Wh|varh|VAh)|m³|m3|[kMG]?J)$/i;
const COUNTER_NAME = /energy|counter|_total_(?:import|export)/;
/** Looks like a counter by its name, and is none. */
const NO_COUNTER = /power|demand|price|factor/;

/** Points that count something, by unit, or by name where no unit is known. */
function countersOf(values: PointValues): readonly string[] {
	return [...values]
		.filter(([point, { value, unit }]) => {
			if (typeof value !== 'number' && typeof value !== 'string') return false;
			return unit === '' ? COUNTER_NAME.test(point) && !NO_COUNTER.test(point) : COUNTED.test(unit);
		})
		.map(([point]) => point);
}

interface EnergyProps {
	readonly device: DeviceView;
	readonly values: PointValues;
	/** The point that is looked at elsewhere on the page; taken first where it counts. */
	readonly chosen: string | null;
}

/** What the counters of a device have counted by hours, days or months; nothing for a device without any. */
export function Energy({ device, values, chosen }: EnergyProps) {
	const counters = countersOf(values);
	const picked = useSignal<string | null>(null);
	const span = useSignal<BarSpan>('day');
	const back = useSignal(0);
	const zone = useSignal(ownZone());
	const name = useId();
	const [first] = counters;
	if (first === undefined) return null;
	const wanted = picked.value ?? chosen;
	const point = wanted !== null && counters.includes(wanted) ? wanted : first;
	return (
		<section class="card">
			<h2>{th('energy.title')}</h2>
			<div class="energy-choice">
				<label>
					{th('energy.counter')}
					<select onChange={(event) => (picked.value = event.currentTarget.value)}>
						{counters.map((counter) => (
							<option key={counter} value={counter} selected={counter === point}>
								{pointName(counter)}
							</option>
						))}
					</select>
				</label>
				<Zone zone={zone.value} onChoose={(next) => (zone.value = next)} />
				<fieldset class="choice">
					<legend>{th('energy.bars')}</legend>
					{SPANS.map((each) => (
						<label key={each}>
							<input
								type="radio"
								name={name}
								checked={span.value === each}
								onChange={() => {
									span.value = each;
									back.value = 0;
								}}
							/>
							{th(`energy.${each}`)}
						</label>
					))}
				</fieldset>
			</div>
			<Counted
				key={`${device.id}/${point}/${span.value}/${back.value}/${zone.value}`}
				device={device}
				point={point}
				unit={values.get(point)?.unit ?? ''}
				span={span.value}
				back={back.value}
				zone={zone.value}
				onMove={(by) => (back.value += by)}
			/>
		</section>
	);
}

function Zone({ zone, onChoose }: { readonly zone: string; readonly onChoose: (zone: string) => void }) {
	const own = ownZone();
	const others = Intl.supportedValuesOf('timeZone').filter((each) => each !== own && each !== 'UTC');
	return (
		<label>
			{th('energy.zone')}
			<select onChange={(event) => onChoose(event.currentTarget.value)}>
				<option value={own} selected={zone === own}>
					{th('energy.zoneOwn', { zone: own })}
				</option>
				{[...(own === 'UTC' ? [] : ['UTC']), ...others].map((each) => (
					<option key={each} value={each} selected={zone === each}>
						{each}
					</option>
				))}
			</select>
		</label>
	);
}

interface CountedProps {
	readonly device: DeviceView;
	readonly point: string;
	readonly unit: string;
	readonly span: BarSpan;
	readonly back: number;
	readonly zone: string;
	readonly onMove: (by: number) => void;
}

/** As far back as the server answers, however long the bars are. */
const MOST_BACK: Readonly<Record<BarSpan, number>> = { day: 3_660, month: 120, year: 10 };

function Counted({ device, point, unit, span, back, zone, onMove }: CountedProps) {
	const { clock } = useServices();
	// A new day begins under an open page too; the path changes with it.
	const edges = barSpan(span, back, clock.now.value, zone);
	const query = new URLSearchParams({
		points: point,
		from: new Date(edges.fromMs).toISOString(),
		to: new Date(edges.toMs).toISOString(),
		bucket: BUCKETS[span],
		tz: zone,
		functions: 'increase,resets',
	});
	const path = `/api/v1/devices/${encodeURIComponent(device.id)}/aggregate?${query.toString()}`;
	const polled = usePoll<AggregateView>(path, PERIOD_MS);
	return (
		<>
			<div class="bar-title">
				<button type="button" disabled={back >= MOST_BACK[span]} onClick={() => onMove(1)}>
					{th('energy.previous')}
				</button>
				<strong aria-live="polite">{titleOf(span, zone)(edges.fromMs)}</strong>
				<button type="button" disabled={back === 0} onClick={() => onMove(-1)}>
					{th('energy.next')}
				</button>
			</div>
			<Answer of={polled}>
				{(answer) => <Bars answer={answer} point={point} unit={unit} span={span} zone={zone} />}
			</Answer>
		</>
	);
}
