import { useId } from 'preact/hooks';

import type { FormState } from '../state/form.ts';
import { usePoll } from '../state/poll.ts';
import type { Spot } from '../state/spot.ts';
import { tf } from '../text-field.ts';
import type { LineSettings, LineView } from '../wire-field.ts';
import type { DevicePageView, DeviceView } from '../wire.ts';

const PERIOD_MS = 60_000;
/** Most devices of one answer. */
const DEVICES = 100;

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
	readonly spot: Spot | null;
	readonly lines: readonly LineView[];
	readonly devices: readonly DeviceView[];
}

function targetsOf({ spot, lines, devices }: Known): readonly TryTarget[] {
	return [
		...(spot === null
			? []
			: [
					{
						value: 'found',
						label: `${spot.lineName}, ${tf('scan.unit', { n: spot.unitId })}`,
						group: tf('try.foundUnit'),
						line: spot.line,
						unitId: spot.unitId,
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

/** What can be asked here and now. @param spot what a scan found */
export function useTargets(spot: Spot | null): readonly TryTarget[] {
	const lines = usePoll<readonly LineView[]>('/api/v1/lines', PERIOD_MS);
	const devices = usePoll<DevicePageView>(`/api/v1/devices?size=${DEVICES}`, PERIOD_MS);
	return targetsOf({ spot, lines: lines.data.value ?? [], devices: devices.data.value?.items ?? [] });
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
