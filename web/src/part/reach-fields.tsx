import { type Transport, isStream } from '../state/device-body.ts';
import type { FormState } from '../state/form.ts';
import { td } from '../text-device.ts';
import { tf } from '../text-field.ts';
import type { ConnectionView } from '../wire-field.ts';
import { TextField } from './field.tsx';
import { LineFields, TcpMore } from './line-fields.tsx';

interface NumberField {
	readonly name: 'unit_id' | 'period_ms' | 'timeout_ms';
	readonly label: string;
	readonly hint?: string;
	readonly preset: number;
	readonly min: number;
	readonly max: number;
}

const UNIT: NumberField = { name: 'unit_id', label: tf('add.unitId'), preset: 1, min: 0, max: 255 };
const PERIOD = { name: 'period_ms', preset: 1_000, min: 50, max: 86_400_000 } as const;
const TIMEOUT = { name: 'timeout_ms', min: 10, max: 60_000 } as const;
const MODBUS_TIMING: readonly NumberField[] = [
	{ ...PERIOD, label: tf('add.period') },
	{ ...TIMEOUT, label: tf('add.timeout'), preset: 1_000 },
];
const STREAM_TIMING: readonly NumberField[] = [
	{ ...PERIOD, label: td('stream.period'), hint: td('stream.periodHint') },
	{ ...TIMEOUT, label: td('stream.timeout'), hint: td('stream.timeoutHint'), preset: 5_000 },
];

/** Fields of a connection that are numbers. */
export const REACH_FIELDS = [UNIT, ...MODBUS_TIMING].map(({ name }) => `connection.${name}`);

interface ReachFieldsProps {
	readonly form: FormState;
	readonly transport: Transport;
	/** What is known of it. */
	readonly preset: ConnectionView | null;
	/** Rate of the chosen model. */
	readonly usualRate: number | null;
}

/** Line and unit, with what a scan or the device says of them. */
export function PlaceFields({ form, transport, preset, usualRate }: ReachFieldsProps) {
	const line = transport === preset?.line?.transport ? preset.line : null;
	return (
		<>
			{isStream(transport) && (
				<p class="hint">
					{td('kind.streamHint')} {transport === 'socket' && td('kind.socketHint')}
				</p>
			)}
			<div class="fields">
				<LineFields
					key={transport}
					form={form}
					transport={transport}
					preset={line}
					// The rate of a Modbus line is that of the devices which are on it already.
					usualRate={isStream(transport) ? usualRate : null}
				/>
				{!isStream(transport) && <Numeric form={form} field={UNIT} preset={preset} />}
			</div>
			{transport === 'tcp' && <TcpMore form={form} preset={line} />}
		</>
	);
}

/** How often it is asked, and how long it may take. */
export function TimingFields({ form, transport, preset }: Omit<ReachFieldsProps, 'usualRate'>) {
	const isOther = isStream(transport);
	const known = isOther === (preset?.driver === 'serial') ? preset : null;
	return (
		<div class="fields" key={String(isOther)}>
			{(isOther ? STREAM_TIMING : MODBUS_TIMING).map((field) => (
				<Numeric key={field.name} form={form} field={field} preset={known} />
			))}
		</div>
	);
}

interface NumericProps extends Pick<ReachFieldsProps, 'form' | 'preset'> {
	readonly field: NumberField;
}

function Numeric({ form, field: { name, label, hint, preset: usual, min, max }, preset }: NumericProps) {
	return (
		<TextField
			form={form}
			name={`connection.${name}`}
			type="number"
			label={label}
			value={preset?.[name] ?? usual}
			min={min}
			max={max}
			{...(hint !== undefined && { hint })}
		/>
	);
}
