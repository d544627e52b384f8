import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';

import { Answer } from '../part/answer.tsx';
import { Back } from '../part/back.tsx';
import type { Column } from '../part/columns.tsx';
import { MoreColumns } from '../part/more.tsx';
import { Status } from '../part/status.tsx';
import { OriginMark, TemplateDetail, VerificationMark } from '../part/template-detail.tsx';
import { link } from '../router.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { tt } from '../text-template.ts';
import { t } from '../text.ts';
import type { TemplateLineView, TemplateOrigin, Verification } from '../wire-template.ts';

const PERIOD_MS = 30_000;
const ORIGINS: readonly TemplateOrigin[] = ['product', 'site', 'hub'];
const VERIFICATIONS: readonly Verification[] = ['two sources', 'one source', 'unverified'];

/** Device templates: all of them, or one. */
export function TemplatesPage() {
	const { place } = useServices();
	const { id } = place.value;
	return id === null ? <TemplateList /> : <TemplateDetail templateKey={id} />;
}

interface Wanted {
	readonly words: string;
	/** '' is any. */
	readonly origin: string;
	readonly verification: string;
	readonly onlyBad: boolean;
}

const ANY: Wanted = { words: '', origin: '', verification: '', onlyBad: false };

/** Whether a template is among those that are wanted: all words are in its key, maker, model or category. */
function isWanted(template: TemplateLineView, { words, origin, verification, onlyBad }: Wanted): boolean {
	const { key, manufacturer, model, variants, category } = template;
	const text = [key, manufacturer, model, ...variants, category].join(' ').toLowerCase();
	return (
		words
			.toLowerCase()
			.split(/\s+/)
			.every((word) => text.includes(word)) &&
		(origin === '' || template.origin === origin) &&
		(verification === '' || template.verification === verification) &&
		(!onlyBad || template.mistakes.length > 0)
	);
}

function TemplateList() {
	const { me } = useServices();
	const templates = usePoll<readonly TemplateLineView[]>('/api/v1/templates', PERIOD_MS);
	return (
		<>
			<Back to="lines" />
			<div class="title-row">
				<h1>{t('nav.templates')}</h1>
				<span class="spring" />
				{me.may('templates:write') && (
					<a class="button primary" href={link('import-template')}>
						{tt('templates.import')}
					</a>
				)}
			</div>
			<p class="quiet">{tt('templates.lead')}</p>
			<Answer of={templates}>{(list) => <Searched list={list} />}</Answer>
		</>
	);
}

const order = new Intl.Collator('en', { numeric: true });

function Searched({ list }: { readonly list: readonly TemplateLineView[] }) {
	const wanted = useSignal(ANY);
	const found = list
		.filter((template) => isWanted(template, wanted.value))
		.toSorted(
			(one, other) => order.compare(one.manufacturer, other.manufacturer) || order.compare(one.model, other.model),
		);
	return (
		<>
			<Filter wanted={wanted.value} onChange={(change) => (wanted.value = { ...wanted.value, ...change })} />
			<p class="quiet" role="status">
				{found.length === 0
					? tt('templates.noMatch')
					: tt('templates.count', { shown: found.length, all: list.length })}
			</p>
			{found.length > 0 && (
				<MoreColumns
					key={JSON.stringify(wanted.value)}
					columns={COLUMNS}
					rows={found}
					// A shipped file that is broken may have the key of one that is not.
					rowKey={({ key, mistakes }) => `${key} ${mistakes.length}`}
				/>
			)}
		</>
	);
}

interface FilterProps {
	readonly wanted: Wanted;
	readonly onChange: (change: Partial<Wanted>) => void;
}

function Filter({ wanted, onChange }: FilterProps) {
	const id = useId();
	return (
		<div class="card fields" role="search">
			<div class="field">
				<label for={id}>{tt('templates.search')}</label>
				<input
					id={id}
					type="text"
					inputMode="search"
					placeholder={tt('templates.searchHint')}
					autocomplete="off"
					spellcheck={false}
					onInput={(event) => onChange({ words: event.currentTarget.value })}
				/>
			</div>
			<FilterChoice
				label={tt('templates.origin')}
				choices={ORIGINS.map((value) => ({ value, label: tt(`origin.${value}`) }))}
				onChoose={(origin) => onChange({ origin })}
			/>
			<FilterChoice
				label={tt('templates.verification')}
				choices={VERIFICATIONS.map((value) => ({ value, label: tt(`verified.${value}`) }))}
				onChoose={(verification) => onChange({ verification })}
			/>
			<label class="tick">
				<input
					type="checkbox"
					checked={wanted.onlyBad}
					onChange={(event) => onChange({ onlyBad: event.currentTarget.checked })}
				/>
				<span>{tt('templates.onlyBad')}</span>
			</label>
		</div>
	);
}

interface FilterChoiceProps {
	readonly label: string;
	readonly choices: readonly { readonly value: string; readonly label: string }[];
	readonly onChoose: (value: string) => void;
}

function FilterChoice({ label, choices, onChoose }: FilterChoiceProps) {
	const id = useId();
	return (
		<div class="field">
			<label for={id}>{label}</label>
			<select id={id} onChange={(event) => onChoose(event.currentTarget.value)}>
				<option value="">{tt('templates.every')}</option>
				{choices.map((choice) => (
					<option key={choice.value} value={choice.value}>
						{choice.label}
					</option>
				))}
			</select>
		</div>
	);
}

const COLUMNS: readonly Column<TemplateLineView>[] = [
	{ title: { words: tt('templates.model') }, cell: (template) => <Name template={template} /> },
	{ title: { words: tt('templates.category') }, cell: ({ category }) => category },
	{
		title: { words: tt('templates.origin') },
		cell: ({ origin, extends: base }) => (
			<>
				<OriginMark origin={origin} />
				{base !== null && <small class="reason">{tt('templates.extends', { key: base })}</small>}
			</>
		),
	},
	{
		title: { words: tt('templates.verification') },
		cell: ({ verification }) => verification !== null && <VerificationMark verification={verification} />,
	},
	{ title: { words: tt('templates.points') }, numeric: true, cell: ({ points }) => points },
];

/** Maker and model, and why it cannot be used. A shipped file that cannot be used has nothing behind it. */
function Name({ template: { key, manufacturer, model, origin, mistakes } }: { readonly template: TemplateLineView }) {
	const name = `${manufacturer} ${model}`.trim() || key;
	const isThere = mistakes.length === 0 || origin === 'site';
	return (
		<>
			{isThere ? (
				<a class="cell-link" href={link('templates', key)}>
					{name}
				</a>
			) : (
				<strong>{name}</strong>
			)}
			<small class="reason id">{key}</small>
			{mistakes.length > 0 && (
				<Status tone="bad" icon="offline">
					{tt('templates.unusable')}
				</Status>
			)}
			{mistakes.map((sentence) => (
				<small class="reason" key={sentence}>
					{sentence}
				</small>
			))}
		</>
	);
}
