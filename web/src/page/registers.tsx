import { useSignal } from '@preact/signals';

import { Back } from '../part/back.tsx';
import { ChoiceField, FormProblem, TextField, readForm } from '../part/field.tsx';
import { MoreFields } from '../part/more-fields.tsx';
import { TargetField, useTargets } from '../part/try-target.tsx';
import { go } from '../router.ts';
import { type FormState, useForm } from '../state/form.ts';
import type { Body, ReadField } from '../state/read-field.ts';
import { useServices } from '../state/services.ts';
import { type Spot, useSpot } from '../state/spot.ts';
import { tf } from '../text-field.ts';
import { tr } from '../text-registers.ts';
import { t } from '../text.ts';
import type { ScanSummaryView } from '../wire-field.ts';

const RARE = ['timeout_ms', 'pause_ms'] as const;
const FIELDS = ['line', 'unit_id', 'function', 'from', 'to', ...RARE] as const;

/** Which addresses one unit answers: where to begin. */
export function RegistersPage() {
	const { place } = useServices();
	const spot = useSpot(place.value.id).value;
	return (
		<>
			<Back to="lines" />
			<h1 class="title-row">{tr('registers.title')}</h1>
			{spot === undefined ? (
				<p class="quiet">{t('app.loading')}</p>
			) : (
				<RegistersForm spot={spot} line={place.value.id} />
			)}
		</>
	);
}

/** An empty field is left to the server, which names it or knows what is usual. */
const numberIn = (field: ReadField, name: string): Body => (field(name) === '' ? {} : { [name]: Number(field(name)) });

const bodyOf = (field: ReadField): Body => ({
	kind: 'registers',
	...Object.assign({}, ...['unit_id', 'function', 'from', 'to', ...RARE].map((name) => numberIn(field, name))),
	thorough: field('thorough') !== '',
});

interface RegistersFormProps {
	readonly spot: Spot | null;
	/** Name of the line the person came from. */
	readonly line: string | null;
}

function RegistersForm({ spot, line }: RegistersFormProps) {
	const { api } = useServices();
	const form = useForm(FIELDS);
	const chosen = useSignal(spot === null ? (line === null ? '' : `line ${line}`) : 'found');
	const targets = useTargets(spot);
	const target = targets.find(({ value }) => value === chosen.value);

	function submit(element: HTMLFormElement): void {
		const body = { ...bodyOf(readForm(element)), ...(target !== undefined && { line: target.line }) };
		void form.send(async () => {
			const scan = await api.post<ScanSummaryView>('/api/v1/scans', body);
			go('scan', scan.id);
		});
	}

	return (
		<form
			class="card form-wide"
			noValidate
			onSubmit={(event) => {
				event.preventDefault();
				submit(event.currentTarget);
			}}
		>
			<p class="quiet">{tr('registers.lead')}</p>
			<FormProblem form={form} />
			<div class="fields">
				<TargetField form={form} targets={targets} chosen={chosen.value} onChoose={(value) => (chosen.value = value)} />
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
					value="3"
					choices={([1, 2, 3, 4] as const).map((n) => ({ value: String(n), label: tf(`try.f${n}`) }))}
				/>
				<TextField form={form} name="from" type="number" label={tr('registers.from')} value={0} min={0} max={65_535} />
				<TextField
					form={form}
					name="to"
					type="number"
					label={tr('registers.to')}
					hint={tr('registers.toHint')}
					value={999}
					min={0}
					max={65_535}
				/>
			</div>
			<RareFields form={form} />
			<div class="actions">
				<button class="primary" disabled={form.busy.value}>
					{tr('registers.start')}
				</button>
			</div>
		</form>
	);
}

function RareFields({ form }: { readonly form: FormState }) {
	return (
		<MoreFields form={form} names={RARE} title={tr('registers.more')}>
			<div class="fields">
				<TextField form={form} name="timeout_ms" type="number" label={tr('registers.timeout')} value={500} min={20} />
				<TextField form={form} name="pause_ms" type="number" label={tr('registers.pause')} value={20} min={0} />
			</div>
			<label class="tick">
				<input type="checkbox" name="thorough" />
				<span>{tr('registers.thorough')}</span>
			</label>
		</MoreFields>
	);
}
