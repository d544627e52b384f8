import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import type { FormState } from '../state/form.ts';
import {
	MOST_OVERRIDES,
	OVERRIDES,
	OVERRIDE_NUMBERS,
	POLL_CLASSES,
	fieldsOfOverride,
	overrideField,
} from '../state/override-body.ts';
import { usePoll } from '../state/poll.ts';
import { td } from '../text-device.ts';
import type { OverrideView } from '../wire-field.ts';
import type { ShownTemplateView, TemplateDocumentView, TemplatePointView } from '../wire-template.ts';
import { ChoiceField, TextField } from './field.tsx';
import { MoreFields } from './more-fields.tsx';

const TEMPLATE_PERIOD_MS = 600_000;

interface OverrideFieldsProps {
	readonly form: FormState;
	/** Key of the chosen template; '' is none. */
	readonly template: string;
	readonly preset: readonly OverrideView[];
	/** Whether points have classes of how often they are read. */
	readonly hasClasses: boolean;
	/** The form says something else than before. */
	readonly onChange: () => void;
}

interface Row {
	readonly id: number;
	readonly preset: OverrideView | null;
}

/** What this device says about single points, above its template. */
export function OverrideFields({ form, template, preset, hasClasses, onChange }: OverrideFieldsProps) {
	const rows = useSignal<readonly Row[]>(preset.map((each, id) => ({ id, preset: each })));
	const next = useSignal(preset.length);
	const list = rows.value;
	// A row is part of the form only after it was drawn.
	useEffect(onChange, [list.length]);

	function add(): void {
		rows.value = [...list, { id: next.value, preset: null }];
		next.value += 1;
	}

	return (
		<MoreFields
			form={form}
			names={list.flatMap((_, index) => fieldsOfOverride(index))}
			title={td('points.title')}
			isOpen={preset.length > 0}
		>
			<p class="hint">{td(template === '' ? 'points.noTemplate' : 'points.lead')}</p>
			<input type="hidden" name={OVERRIDES} value={list.length} />
			{list.length > 0 && (
				<Rows
					form={form}
					template={template}
					rows={list}
					hasClasses={hasClasses}
					onRemove={(id) => (rows.value = list.filter((row) => row.id !== id))}
				/>
			)}
			<button type="button" disabled={template === '' || list.length >= MOST_OVERRIDES} onClick={add}>
				{td('points.add')}
			</button>
		</MoreFields>
	);
}

/** Points of a document that may have mistakes. */
const pointsOf = (shown: ShownTemplateView | null): readonly TemplatePointView[] =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a document without mistakes is a template
	shown === null || shown.mistakes.length > 0 ? [] : (shown.document as TemplateDocumentView).points;

interface RowsProps extends Pick<OverrideFieldsProps, 'form' | 'template' | 'hasClasses'> {
	readonly rows: readonly Row[];
	readonly onRemove: (id: number) => void;
}

function Rows({ form, template, rows, hasClasses, onRemove }: RowsProps) {
	const path = `/api/v1/templates/${encodeURIComponent(template)}?resolved=true`;
	const points = pointsOf(usePoll<ShownTemplateView>(path, TEMPLATE_PERIOD_MS).data.value);
	return (
		<>
			{rows.map((row, index) => (
				<OverrideRow
					key={row.id}
					form={form}
					index={index}
					points={points}
					preset={row.preset}
					hasClasses={hasClasses}
					onRemove={() => onRemove(row.id)}
				/>
			))}
		</>
	);
}

interface OverrideRowProps extends Pick<OverrideFieldsProps, 'form' | 'hasClasses'> {
	readonly index: number;
	readonly points: readonly TemplatePointView[];
	readonly preset: OverrideView | null;
	readonly onRemove: () => void;
}

/** What the template says, in the grey of an empty field. */
const greyOf = (value: unknown): { readonly placeholder?: string } =>
	typeof value === 'number' || typeof value === 'string' ? { placeholder: String(value) } : {};

function OverrideRow({ form, index, points, preset, hasClasses, onRemove }: OverrideRowProps) {
	const chosen = useSignal(preset?.point ?? '');
	const own = overrideField(index);
	const mistake = form.fields.value[own];
	const point = points.find(({ key }) => key === chosen.value);
	const isListed = chosen.value === '' || point !== undefined;
	return (
		<fieldset class="override" data-override={chosen.value}>
			<legend>{td('points.legend', { n: index + 1 })}</legend>
			{mistake !== undefined && (
				<p class="mistake" role="alert">
					{mistake}
				</p>
			)}
			<div class="fields">
				<ChoiceField
					form={form}
					name={`${own}.point`}
					label={td('points.point')}
					choices={[
						{ value: '', label: td('points.choose') },
						...(isListed ? [] : [{ value: chosen.value, label: chosen.value }]),
						...points.map(({ key, name }) => ({ value: key, label: `${name} (${key})` })),
					]}
					value={chosen.value}
					onChoose={(key) => (chosen.value = key)}
				/>
				{hasClasses && (
					<ChoiceField
						form={form}
						name={`${own}.poll`}
						label={td('points.poll')}
						choices={(['', ...POLL_CLASSES] as const).map((value) => ({ value, label: td(`points.poll.${value}`) }))}
						value={preset?.poll ?? ''}
					/>
				)}
				{(['name', 'unit'] as const).map((member) => (
					<TextField
						key={member}
						form={form}
						name={`${own}.${member}`}
						label={td(`points.${member}`)}
						autocomplete="off"
						{...greyOf(point?.[member])}
						{...(preset?.[member] !== undefined && { value: preset[member] })}
					/>
				))}
				{OVERRIDE_NUMBERS.map((member) => (
					<TextField
						key={member}
						form={form}
						name={`${own}.${member}`}
						type="number"
						step="any"
						label={td(`points.${member}`)}
						{...greyOf(point?.[member])}
						{...(preset?.[member] !== undefined && { value: preset[member] })}
					/>
				))}
			</div>
			<Tick name={`${own}.read`} label={td('points.read')} isTicked={preset?.read !== false} />
			{preset?.unit === '' && <Tick name={`${own}.no_unit`} label={td('points.noUnit')} isTicked />}
			<button type="button" onClick={onRemove}>
				{td('points.remove')}
			</button>
		</fieldset>
	);
}

function Tick(props: { readonly name: string; readonly label: string; readonly isTicked: boolean }) {
	return (
		<label class="tick">
			<input type="checkbox" name={props.name} defaultChecked={props.isTicked} />
			<span>{props.label}</span>
		</label>
	);
}
