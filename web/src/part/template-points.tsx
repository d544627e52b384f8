import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';

import { type TemplateTextKey, tt } from '../text-template.ts';
import type { OptionValue } from '../wire-field.ts';
import type { LabelsView, TemplatePointView, TemplateVariableView } from '../wire-template.ts';
import { type Column, Columns } from './columns.tsx';
import { MoreColumns } from './more.tsx';

const PLACES: Readonly<Record<number, TemplateTextKey>> = {
	1: 'template.place.1',
	2: 'template.place.2',
	3: 'template.place.3',
	4: 'template.place.4',
};

const KINDS: Readonly<Record<string, TemplateTextKey>> = {
	measurement: 'template.kind.measurement',
	counter: 'template.kind.counter',
	state: 'template.kind.state',
	setting: 'template.kind.setting',
};

const ACCESS: Readonly<Record<string, TemplateTextKey>> = { rw: 'template.writable', w: 'template.writeOnly' };

const valueText = (value: OptionValue): string =>
	typeof value === 'boolean' ? tt(value ? 'template.yes' : 'template.no') : String(value);

/** A name in the other languages that it has. */
function Labels({ labels = {} }: { readonly labels?: LabelsView | undefined }) {
	const words = Object.entries(labels);
	return (
		<>
			{words.map(([language, text]) => (
				<small class="reason" key={language} lang={language}>
					{text}
				</small>
			))}
		</>
	);
}

function Name({ point: { key, name, labels, when } }: { readonly point: TemplatePointView }) {
	const options = when?.map(({ option, is }) =>
		tt('template.whenOne', { option, values: is.map(valueText).join(' / ') }),
	);
	return (
		<>
			<strong>{name}</strong>
			<small class="reason id">{key}</small>
			<Labels labels={labels} />
			{options !== undefined && <small class="reason">{tt('template.when', { options: options.join(', ') })}</small>}
		</>
	);
}

/** Values in the frames of a serial device have no register. */
function Place({ point: { function: code, address, count = 1 } }: { readonly point: TemplatePointView }) {
	const place = code === undefined ? undefined : PLACES[code];
	if (place === undefined || address === undefined) return <>–</>;
	return (
		<>
			{tt(place, { address })}
			{count > 1 && `–${address + count - 1}`}
		</>
	);
}

function Type({ point: { type, byte_order: order, scale = 1 } }: { readonly point: TemplatePointView }) {
	return (
		<>
			{type === undefined ? '–' : <code>{type}</code>}
			{type !== 'bool' && order !== undefined && <small class="reason id">{order}</small>}
			{scale !== 1 && <small class="reason">× {scale}</small>}
		</>
	);
}

function Kind({ point: { kind = 'measurement', access = 'r' } }: { readonly point: TemplatePointView }) {
	const [known, written] = [KINDS[kind], ACCESS[access]];
	return (
		<>
			{known === undefined ? kind : tt(known)}
			{written !== undefined && <small class="reason">{tt(written)}</small>}
		</>
	);
}

const COLUMNS: readonly Column<TemplatePointView>[] = [
	{ title: { words: tt('template.point') }, cell: (point) => <Name point={point} /> },
	{ title: { words: tt('template.address') }, cell: (point) => <Place point={point} /> },
	{ title: { words: tt('template.type') }, cell: (point) => <Type point={point} /> },
	{ title: { words: tt('template.unit') }, cell: ({ unit = '' }) => (unit === '' ? '–' : unit) },
	{ title: { words: tt('template.kind') }, cell: (point) => <Kind point={point} /> },
];

const wordsOf = ({ key, name, address, unit = '', labels = {} }: TemplatePointView): string =>
	[key, name, address, unit, ...Object.values(labels)].join(' ').toLowerCase();

/** What the device is asked for, and what it means. */
export function TemplatePoints({ points }: { readonly points: readonly TemplatePointView[] }) {
	const id = useId();
	const wanted = useSignal('');
	const words = wanted.value.toLowerCase().split(/\s+/);
	const found = points.filter((point) => words.every((word) => wordsOf(point).includes(word)));
	return (
		<>
			<div class="title-row section-title">
				<h2>
					{tt('template.points')} <span class="quiet">{points.length}</span>
				</h2>
				<span class="spring" />
				<label class="unseen" for={id}>
					{tt('template.filter')}
				</label>
				<input
					id={id}
					type="search"
					placeholder={tt('template.filter')}
					autocomplete="off"
					onInput={(event) => (wanted.value = event.currentTarget.value)}
				/>
			</div>
			{found.length === 0 ? (
				<p class="quiet">{tt('template.noPoint')}</p>
			) : (
				<div class="point-list">
					{/* Points that exclude each other share a key. */}
					<MoreColumns
						key={wanted.value}
						columns={COLUMNS}
						rows={found}
						rowKey={(point) => `${point.key} ${JSON.stringify(point.when ?? null)}`}
					/>
				</div>
			)}
		</>
	);
}

const OPTION_COLUMNS: readonly Column<TemplateVariableView>[] = [
	{
		title: { words: tt('template.option') },
		cell: ({ name, label, labels }) => (
			<>
				<strong>{label}</strong>
				<small class="reason id">{name}</small>
				<Labels labels={labels} />
			</>
		),
	},
	{ title: { words: tt('template.optionType') }, cell: ({ type }) => type },
	{ title: { words: tt('template.default') }, cell: ({ default: preset }) => valueText(preset) },
	{
		title: { words: tt('template.choices') },
		cell: ({ type, choices }) =>
			choices?.map(({ value, label }) => `${valueText(value)}: ${label}`).join(', ') ??
			(type === 'boolean' ? `${tt('template.yes')}, ${tt('template.no')}` : tt('template.any')),
	},
];

/** What the installer chooses of each device. */
export function TemplateOptions({ options }: { readonly options: readonly TemplateVariableView[] }) {
	if (options.length === 0) return null;
	return (
		<>
			<h2 class="section-title">{tt('template.options')}</h2>
			<div class="point-list">
				<Columns columns={OPTION_COLUMNS} rows={options} rowKey={({ name }) => name} />
			</div>
		</>
	);
}
