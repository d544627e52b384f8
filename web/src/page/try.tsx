import { useSignal } from '@preact/signals';

import { Back } from '../part/back.tsx';
import { ChoiceField, FormProblem, TextField, readForm } from '../part/field.tsx';
import { Tried } from '../part/tried.tsx';
import { type TryTarget, TargetField, useTargets } from '../part/try-target.tsx';
import { useForm } from '../state/form.ts';
import { useServices } from '../state/services.ts';
import { type Spot, useSpot } from '../state/spot.ts';
import { tf } from '../text-field.ts';
import { t } from '../text.ts';
import type { TriedView } from '../wire-field.ts';

const FIELDS = ['line', 'unit_id', 'function', 'address', 'count', 'expect', 'timeout_ms'] as const;

/** One read, before there is a template. */
export function TryPage() {
	const { place } = useServices();
	const spot = useSpot(place.value.id).value;
	return (
		<>
			<Back to="lines" />
			<h1 class="title-row">{tf('try.title')}</h1>
			{spot === undefined ? <p class="quiet">{t('app.loading')}</p> : <TryForm spot={spot} line={place.value.id} />}
		</>
	);
}

interface TryFormProps {
	readonly spot: Spot | null;
	/** Name of the line the person came from. */
	readonly line: string | null;
}

/** Numbers as people type them; `NaN` of anything else. */
const numberOf = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text.trim().replace(',', '.')));
const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);

function TryForm({ spot, line }: TryFormProps) {
	const { api } = useServices();
	const form = useForm(FIELDS);
	const chosen = useSignal(spot === null ? (line === null ? '' : `line ${line}`) : 'found');
	const tried = useSignal<TriedView | null>(null);
	const targets = useTargets(spot);
	const target: TryTarget | undefined = targets.find(({ value }) => value === chosen.value);

	function submit(element: HTMLFormElement): void {
		const field = readForm(element);
		const expected = field('expect').trim();
		if (expected !== '' && Number.isNaN(numberOf(expected))) {
			form.refuse('expect', tf('try.expectBad'));
			return;
		}
		const body = {
			...(target !== undefined && { line: target.line }),
			unit_id: orNull(numberOf(field('unit_id'))),
			function: Number(field('function')),
			address: orNull(numberOf(field('address'))),
			count: orNull(numberOf(field('count'))),
			...(expected !== '' && { expect: numberOf(expected) }),
		};
		void form.send(async () => {
			tried.value = null;
			tried.value = await api.post<TriedView>('/api/v1/lines/try', body);
		});
	}

	return (
		<>
			<form
				class="card form-wide"
				noValidate
				onSubmit={(event) => {
					event.preventDefault();
					submit(event.currentTarget);
				}}
			>
				<p class="quiet">{tf('try.lead')}</p>
				<FormProblem form={form} />
				<div class="fields">
					<TargetField
						form={form}
						targets={targets}
						chosen={chosen.value}
						onChoose={(value) => (chosen.value = value)}
					/>
					<TextField
						key={target?.value}
						form={form}
						name="unit_id"
						type="number"
						label={tf('try.unit')}
						value={target?.unitId ?? 1}
						min={0}
						max={255}
					/>
					<ChoiceField
						form={form}
						name="function"
						label={tf('try.function')}
						value={String(spot?.functionCode ?? 3)}
						choices={([1, 2, 3, 4] as const).map((n) => ({ value: String(n), label: tf(`try.f${n}`) }))}
					/>
					<TextField
						form={form}
						name="address"
						type="number"
						label={tf('try.address')}
						hint={tf('try.addressHint')}
						{...(typeof spot?.address === 'number' && { value: spot.address })}
					/>
					<TextField form={form} name="count" type="number" label={tf('try.count')} value={2} min={1} />
					<TextField
						form={form}
						name="expect"
						label={tf('try.expect')}
						hint={tf('try.expectHint')}
						autocomplete="off"
					/>
				</div>
				<div class="actions">
					<button class="primary" disabled={form.busy.value}>
						{tf(form.busy.value ? 'try.reading' : 'try.submit')}
					</button>
				</div>
			</form>
			{tried.value !== null && <Tried tried={tried.value} />}
		</>
	);
}
