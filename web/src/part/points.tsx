import { useSignal } from '@preact/signals';

import { pointName } from '../format.ts';
import type { PointValue, PointValues } from '../state/devices.ts';
import { shownQuality } from '../state/freshness.ts';
import { useServices } from '../state/services.ts';
import { type TextKey, t } from '../text.ts';
import { Age } from './age.tsx';
import { QualityMark, Status } from './status.tsx';
import { ValueText } from './value.tsx';

/** Where a point belongs, by its name; the first match counts. */
const GROUPS: readonly { readonly title: TextKey; readonly pattern: RegExp }[] = [
	{ title: 'group.energy', pattern: /energy|kwh|kvarh|counter/ },
	{ title: 'group.quality', pattern: /thd|factor|frequency|angle|harmonic|demand/ },
	{ title: 'group.power', pattern: /power|watt|_va\b|_var\b/ },
	{ title: 'group.voltage', pattern: /volt/ },
	{ title: 'group.current', pattern: /current|amp/ },
	{ title: 'group.environment', pattern: /temp|humid|pressure|co2|illum|wind|irradi/ },
	{ title: 'group.other', pattern: /(?:)/ },
];

/** Order in which the groups are read, which is not the order in which names are matched. */
const READING_ORDER: readonly TextKey[] = [
	'group.power',
	'group.energy',
	'group.voltage',
	'group.current',
	'group.quality',
	'group.environment',
	'group.other',
];

const groupOf = (point: string): TextKey =>
	GROUPS.find(({ pattern }) => pattern.test(point.toLocaleLowerCase('en')))?.title ?? 'group.other';

interface PointsProps {
	readonly values: PointValues;
	readonly chosen: string | null;
	readonly onChoose: (point: string) => void;
}

/** All points of a device, grouped, with a filter. */
export function Points({ values, chosen, onChoose }: PointsProps) {
	const wanted = useSignal('');
	const search = wanted.value.toLocaleLowerCase();
	const shown = [...values].filter(([point]) =>
		`${point} ${pointName(point)}`.toLocaleLowerCase('en').includes(search),
	);
	const groups = READING_ORDER.map((title) => ({
		title,
		points: shown.filter(([point]) => groupOf(point) === title),
	})).filter(({ points }) => points.length > 0);
	return (
		<section class="card">
			<div class="title-row">
				<h2>{t('device.points')}</h2>
				<span class="spring" />
				<input
					type="search"
					aria-label={t('device.filter')}
					placeholder={t('device.filter')}
					onInput={(event) => {
						wanted.value = event.currentTarget.value;
					}}
				/>
			</div>
			{values.size === 0 && <p class="quiet">{t('device.noPoints')}</p>}
			{values.size > 0 && groups.length === 0 && <p class="quiet">{t('device.noMatch')}</p>}
			<div class="groups">
				{groups.map(({ title, points }) => (
					<table key={title} class="points">
						<caption>{t(title)}</caption>
						<thead class="unseen">
							<tr>
								<th>{t('device.point')}</th>
								<th>{t('device.value')}</th>
								<th>{t('device.quality')}</th>
								<th>{t('device.age')}</th>
							</tr>
						</thead>
						<tbody>
							{points.map(([point, value]) => (
								<PointRow key={point} point={point} value={value} chosen={point === chosen} onChoose={onChoose} />
							))}
						</tbody>
					</table>
				))}
			</div>
		</section>
	);
}

interface PointRowProps extends Pick<PointsProps, 'onChoose'> {
	readonly point: string;
	readonly value: PointValue;
	readonly chosen: boolean;
}

function PointRow({ point, value, chosen, onChoose }: PointRowProps) {
	const { clock } = useServices();
	const quality = shownQuality(value, clock.now.value);
	return (
		<tr class={chosen ? 'chosen' : ''} data-point={point}>
			<td>
				<button
					type="button"
					class="link"
					aria-pressed={chosen}
					title={t('device.choose')}
					onClick={() => onChoose(point)}
				>
					{pointName(point)}
				</button>
			</td>
			<td class="numeric">
				<ValueText value={value} quality={quality} />
			</td>
			<td class="cell-quality">
				{quality === 'good' ? (
					<span class="unseen">
						<Status tone="ok" icon="ok">
							{t('quality.good')}
						</Status>
					</span>
				) : (
					<QualityMark quality={quality} />
				)}
			</td>
			<td class="numeric quiet">
				<Age atMs={value.readAtMs} />
			</td>
		</tr>
	);
}
