import { useSignal } from '@preact/signals';

import { formatValue } from '../format.ts';
import { useForm } from '../state/form.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { AlertRuleView, Condition, DevicePageView, Severity } from '../wire.ts';
import type { Column } from './columns.tsx';
import { FormDialog } from './dialog.tsx';
import { ChoiceField, FormProblem, TextField } from './field.tsx';
import { Icon } from './icon.tsx';
import { PolledColumns } from './list.tsx';
import { SeverityMark } from './severity.tsx';
import { Status } from './status.tsx';

const PERIOD_MS = 15_000;
const PATH = '/api/v1/monitoring/alert-rules';
const CONDITIONS: readonly Condition[] = ['gt', 'gte', 'lt', 'lte', 'eq', 'ne'];
/** As many as one page of devices has. */
const DEVICES = '/api/v1/devices?page=1&size=100';
const DEVICES_PERIOD_MS = 60_000;
const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical'];

const sentenceOf = ({ metric, condition, threshold, duration_seconds }: AlertRuleView): string =>
	`${metric} ${t(`condition.${condition}`)} ${formatValue(threshold)}` +
	(duration_seconds > 0 ? ` ${t('rules.for', { seconds: duration_seconds })}` : '');

/** The rules that raise alerts: shown, made, paused, deleted. */
export function AlertRules() {
	const { api } = useServices();
	const list = usePoll<readonly AlertRuleView[]>(`${PATH}?limit=200`, PERIOD_MS);
	const { data } = usePoll<DevicePageView>(DEVICES, DEVICES_PERIOD_MS);
	const names = new Map((data.value?.items ?? []).map(({ id, name }) => [id, name]));
	const isAdding = useSignal(false);
	const doomed = useSignal<AlertRuleView | null>(null);
	const form = useForm([]);

	const setActive = (rule: AlertRuleView) =>
		form.send(async () => {
			await api.patch(`${PATH}/${rule.id}`, { is_active: !rule.is_active });
			list.reload();
		});

	const columns: readonly Column<AlertRuleView>[] = [
		{ title: 'rules.name', cell: ({ name }) => <strong>{name}</strong> },
		{ title: 'rules.rule', cell: sentenceOf },
		{
			title: 'rules.device',
			cell: ({ device_id, gateway_id }) =>
				device_id === null
					? t(gateway_id === null ? 'rules.everyDevice' : 'rules.everyDeviceOfGateway')
					: (names.get(device_id) ?? device_id),
		},
		{ title: 'alerts.severity', cell: ({ severity }) => <SeverityMark severity={severity} /> },
		{
			title: 'users.state',
			cell: ({ is_active }) => (
				<Status tone={is_active ? 'ok' : 'idle'} icon={is_active ? 'ok' : 'wait'}>
					{t(is_active ? 'rules.active' : 'rules.paused')}
				</Status>
			),
		},
		{
			title: 'app.actions',
			cell: (rule) => (
				<div class="row-actions">
					<button type="button" onClick={() => void setActive(rule)}>
						{t(rule.is_active ? 'rules.pause' : 'rules.resume')}
					</button>
					<button type="button" onClick={() => (doomed.value = rule)}>
						{t('app.delete')}
					</button>
				</div>
			),
		},
	];

	const done = (): void => {
		isAdding.value = false;
		doomed.value = null;
		list.reload();
	};

	return (
		<section>
			<div class="title-row section-title">
				<h2>{t('rules.title')}</h2>
				<span class="spring" />
				<button type="button" class="primary" onClick={() => (isAdding.value = true)}>
					<Icon name="plus" />
					{t('rules.add')}
				</button>
			</div>
			<FormProblem form={form} />
			<PolledColumns list={list} columns={columns} rowKey={({ id }) => id} empty={t('rules.empty')} />
			{isAdding.value && <AddRule names={names} onClose={done} />}
			{doomed.value !== null && <DeleteRule rule={doomed.value} onClose={done} />}
		</section>
	);
}

/** The number that was typed; what is none goes as it stands, so that the server names the field. */
function numberOf(text: string): number | string | undefined {
	const trimmed = text.trim();
	if (trimmed === '') return undefined;
	const number = Number(trimmed.replace(',', '.'));
	return Number.isNaN(number) ? trimmed : number;
}

interface AddRuleProps {
	/** Devices that it may be about, by id. */
	readonly names: ReadonlyMap<string, string>;
	readonly onClose: () => void;
}

function AddRule({ names, onClose }: AddRuleProps) {
	const { api } = useServices();
	const form = useForm([
		'name',
		'device_id',
		'metric',
		'condition',
		'threshold',
		'severity',
		'hysteresis',
		'duration_seconds',
	]);
	return (
		<FormDialog
			title={t('rules.add')}
			form={form}
			submit={t('rules.add')}
			onClose={onClose}
			onSend={async (field) => {
				await api.post(PATH, {
					name: field('name').trim(),
					metric: field('metric').trim(),
					condition: field('condition'),
					threshold: numberOf(field('threshold')),
					severity: field('severity'),
					device_id: field('device_id') === '' ? null : field('device_id'),
					hysteresis: numberOf(field('hysteresis')),
					duration_seconds: numberOf(field('duration_seconds')),
				});
			}}
		>
			<TextField form={form} name="name" label={t('rules.name')} required focus />
			<ChoiceField
				form={form}
				name="device_id"
				label={t('rules.device')}
				choices={[
					{ value: '', label: t('rules.everyDevice') },
					...[...names].map(([value, label]) => ({ value, label })),
				]}
				value=""
			/>
			<TextField form={form} name="metric" label={t('rules.metric')} hint={t('rules.metricHint')} required />
			<div class="fields">
				<ChoiceField
					form={form}
					name="condition"
					label={t('rules.condition')}
					choices={CONDITIONS.map((value) => ({ value, label: t(`condition.${value}`) }))}
					value="gt"
				/>
				<TextField form={form} name="threshold" label={t('rules.threshold')} required />
				<TextField form={form} name="hysteresis" label={t('rules.hysteresis')} value="0" />
				<TextField form={form} name="duration_seconds" label={t('rules.duration')} value="0" />
			</div>
			<ChoiceField
				form={form}
				name="severity"
				label={t('alerts.severity')}
				choices={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))}
				value="warning"
			/>
		</FormDialog>
	);
}

function DeleteRule({ rule, onClose }: { readonly rule: AlertRuleView; readonly onClose: () => void }) {
	const { api } = useServices();
	const form = useForm([]);
	return (
		<FormDialog
			title={t('rules.deleteWhich', { name: rule.name })}
			form={form}
			submit={t('app.delete')}
			danger
			onClose={onClose}
			onSend={() => api.remove(`${PATH}/${rule.id}`)}
		/>
	);
}
