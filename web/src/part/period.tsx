import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';

import { type Period, type PresetId, mistakeIn } from '../state/period.ts';
import { ownZone } from '../state/calendar.ts';
import { useForm } from '../state/form.ts';
import { useServices } from '../state/services.ts';
import { th } from '../text-history.ts';
import { TextField, readForm } from './field.tsx';

const DAY_MS = 86_400_000;
const FIELDS = ['from', 'to'] as const;

interface PeriodChooserProps {
	readonly presets: readonly PresetId[];
	readonly chosen: Period;
	/** Longest period of one's own, ms. */
	readonly mostMs: number;
	readonly onChoose: (period: Period) => void;
}

/** An instant as a field of the browser takes it: on its own wall, without seconds. */
function fieldTime(atMs: number): string {
	const wall = new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000);
	return wall.toISOString().slice(0, 16);
}

/** Chooses one of some periods that end now, or one of one's own. */
export function PeriodChooser({ presets, chosen, mostMs, onChoose }: PeriodChooserProps) {
	const name = useId();
	const isOwn = useSignal(chosen.kind === 'own');
	return (
		<div class="periods">
			<fieldset class="choice" aria-label={th('period.title')}>
				{presets.map((preset) => (
					<label key={preset}>
						<input
							type="radio"
							name={name}
							checked={!isOwn.value && chosen.kind === preset}
							onChange={() => {
								isOwn.value = false;
								onChoose({ kind: preset });
							}}
						/>
						{th(`period.${preset}`)}
					</label>
				))}
				<label>
					<input type="radio" name={name} checked={isOwn.value} onChange={() => (isOwn.value = true)} />
					{th('period.own')}
				</label>
			</fieldset>
			{isOwn.value && <OwnPeriod chosen={chosen} mostMs={mostMs} onChoose={onChoose} />}
		</div>
	);
}

function OwnPeriod({ chosen, mostMs, onChoose }: Omit<PeriodChooserProps, 'presets'>) {
	const { clock } = useServices();
	const form = useForm(FIELDS);
	const nowMs = clock.now.peek();
	// What is in the fields is the person's; the clock must not change it.
	const initial = useSignal(chosen.kind === 'own' ? chosen : { fromMs: nowMs - DAY_MS, toMs: nowMs });
	const span = initial.peek();

	function show(field: (name: string) => string): void {
		const wanted = { fromMs: Date.parse(field('from')), toMs: Date.parse(field('to')) };
		const mistake = mistakeIn(wanted, clock.now.peek(), mostMs);
		if (mistake === null) void form.send(async () => onChoose({ kind: 'own', ...wanted }));
		else form.refuse(mistake.field, th(`period.${mistake.what}`, { days: Math.floor(mostMs / DAY_MS) }));
	}

	return (
		<form
			class="own-period"
			noValidate
			onSubmit={(event) => {
				event.preventDefault();
				show(readForm(event.currentTarget));
			}}
		>
			<TextField
				form={form}
				name="from"
				type="datetime-local"
				label={th('period.from')}
				value={fieldTime(span.fromMs)}
			/>
			<TextField form={form} name="to" type="datetime-local" label={th('period.to')} value={fieldTime(span.toMs)} />
			<button>{th('period.show')}</button>
			<p class="hint">{th('period.zone', { zone: ownZone() })}</p>
		</form>
	);
}
