import { useId } from 'preact/hooks';

import type { FormState } from '../state/form.ts';
import { tf } from '../text-field.ts';
import type { FoundUnitView, LineSettings, LineView } from '../wire-field.ts';
import type { DeviceView } from '../wire.ts';

/** What can be asked: a line in use, a device on it, or what a scan found. */
export interface TryTarget {
	readonly value: string;
	readonly label: string;
	readonly group: string;
	/** Its name, or written out. */
	readonly line: string | LineSettings;
	readonly unitId: number | null;
}

interface Known {
	readonly found: FoundUnitView | null;
	readonly lines: readonly LineView[];
	readonly devices: readonly DeviceView[];
}

export function targetsOf({ found, lines, devices }: Known): readonly TryTarget[] {
	return [
		...(found === null
			? []
			: [
					{
						value: 'found',
						label: `${found.line_name}, ${tf('scan.unit', { n: found.unit_id })}`,
						group: tf('try.foundUnit'),
						line: found.line,
						unitId: found.unit_id,
					},
				]),
		...devices.flatMap(({ id, name, connection }) =>
			connection?.driver !== 'modbus' || connection.line === undefined
				? []
				: [
						{
							value: `device ${id}`,
							label: `${name}, ${tf('scan.unit', { n: connection.unit_id ?? 1 })}`,
							group: tf('try.devices'),
							line: connection.line,
							unitId: connection.unit_id ?? 1,
						},
					],
		),
		...lines.map(({ line }) => ({ value: `line ${line}`, label: line, group: tf('try.lines'), line, unitId: null })),
	];
}

interface TargetFieldProps {
	readonly form: FormState;
	readonly targets: readonly TryTarget[];
	readonly chosen: string;
	readonly onChoose: (value: string) => void;
}

/** Which line or device is asked, by groups. What the line was refused for stands here as well. */
export function TargetField({ form, targets, chosen, onChoose }: TargetFieldProps) {
	const id = useId();
	const mistake = Object.entries(form.fields.value).find(
		([field]) => field === 'line' || field.startsWith('line.'),
	)?.[1];
	const groups = [...new Set(targets.map(({ group }) => group))];
	return (
		<div class="field">
			<label for={id}>{tf('try.line')}</label>
			<select
				id={id}
				aria-invalid={mistake !== undefined}
				aria-describedby={`${id}-note`}
				onChange={(event) => onChoose(event.currentTarget.value)}
			>
				<option value="" selected={chosen === ''}>
					{tf('try.lineNone')}
				</option>
				{groups.map((group) => (
					<optgroup key={group} label={group}>
						{targets
							.filter((target) => target.group === group)
							.map(({ value, label }) => (
								<option key={value} value={value} selected={value === chosen}>
									{label}
								</option>
							))}
					</optgroup>
				))}
			</select>
			<p id={`${id}-note`} class="mistake" hidden={mistake === undefined}>
				{mistake}
			</p>
		</div>
	);
}
