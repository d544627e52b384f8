import { TUNING, TUNING_NUMBERS } from '../state/device-body.ts';
import type { FormState } from '../state/form.ts';
import { td } from '../text-device.ts';
import type { TuningView } from '../wire-field.ts';
import { ChoiceField, TextField } from './field.tsx';
import { MoreFields } from './more-fields.tsx';

const MODES = ['', 'adaptive', 'fixed'] as const;

/** Bounds by the contract of a connection. */
const BOUNDS: Readonly<Record<(typeof TUNING_NUMBERS)[number], { readonly min: number; readonly max: number }>> = {
	retries: { min: 0, max: 5 },
	guard_ms: { min: 0, max: 10_000 },
	max_registers: { min: 1, max: 125 },
	fast_period_ms: { min: 50, max: 86_400_000 },
	slow_period_ms: { min: 50, max: 86_400_000 },
};

/** Every field of the tuning, as the server names it. */
export const TUNING_FIELDS = ['timeout_mode', ...TUNING_NUMBERS].map((name) => `${TUNING}.${name}`);

interface TuningFieldsProps {
	readonly form: FormState;
	readonly preset: TuningView | undefined;
}

/** How one Modbus device is asked, where the usual way is not good for it. */
export function TuningFields({ form, preset = {} }: TuningFieldsProps) {
	return (
		<MoreFields form={form} names={TUNING_FIELDS} title={td('tuning.title')} isOpen={Object.keys(preset).length > 0}>
			<p class="hint">{td('tuning.lead')}</p>
			<div class="fields">
				<ChoiceField
					form={form}
					name={`${TUNING}.timeout_mode`}
					label={td('tuning.timeout_mode')}
					choices={MODES.map((value) => ({ value, label: td(`tuning.mode.${value}`) }))}
					value={preset.timeout_mode ?? ''}
				/>
				{TUNING_NUMBERS.map((name) => (
					<TextField
						key={name}
						form={form}
						name={`${TUNING}.${name}`}
						type="number"
						label={td(`tuning.${name}`)}
						hint={td(`tuning.${name}Hint`)}
						{...BOUNDS[name]}
						{...(preset[name] !== undefined && { value: preset[name] })}
					/>
				))}
			</div>
		</MoreFields>
	);
}
