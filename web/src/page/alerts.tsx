import { useSignal } from '@preact/signals';

import { AcknowledgedAlerts } from '../part/acknowledged-alerts.tsx';
import { Age } from '../part/age.tsx';
import { AlertRules } from '../part/alert-rules.tsx';
import type { Column } from '../part/columns.tsx';
import { FormProblem } from '../part/field.tsx';
import { PolledColumns } from '../part/list.tsx';
import { SeverityMark } from '../part/severity.tsx';
import { Status } from '../part/status.tsx';
import { link } from '../router.ts';
import { useForm } from '../state/form.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { AlertView } from '../wire.ts';

const PERIOD_MS = 5_000;
const MOST = 200;

/** Alerts that nobody has acknowledged yet, and the rules that raise them. */
export function AlertsPage() {
	const { api, me, notices } = useServices();
	const list = usePoll<readonly AlertView[]>(`/api/v1/monitoring/alerts?limit=${MOST}`, PERIOD_MS, notices.heard);
	const form = useForm([]);
	const acknowledged = useSignal<ReadonlySet<string>>(new Set());

	const acknowledge = (id: string) =>
		form.send(async () => {
			await api.post(`/api/v1/monitoring/alerts/${id}/acknowledge`);
			acknowledged.value = new Set([...acknowledged.value, id]);
			list.reload();
			notices.changed();
		});

	const columns: readonly Column<AlertView>[] = [
		{ title: 'alerts.severity', cell: ({ severity }) => <SeverityMark severity={severity} /> },
		{
			title: 'alerts.message',
			cell: ({ message, device_id, occurrences }) => (
				<>
					<a href={link('devices', device_id)}>{message}</a>
					{occurrences > 1 && <small>{t('alerts.occurrences', { n: occurrences })}</small>}
				</>
			),
		},
		{
			title: 'users.state',
			cell: ({ cleared_at }) => (
				<Status tone={cleared_at === null ? 'bad' : 'idle'} icon={cleared_at === null ? 'degraded' : 'ok'}>
					{t(cleared_at === null ? 'alerts.holds' : 'alerts.cleared')}
				</Status>
			),
		},
		{ title: 'alerts.since', cell: ({ raised_at }) => <Age atMs={Date.parse(raised_at)} /> },
		{
			title: 'app.actions',
			cell: ({ id }) =>
				me.may('alarms:ack') && (
					<button
						type="button"
						disabled={form.busy.value || acknowledged.value.has(id)}
						onClick={() => void acknowledge(id)}
					>
						{t('alerts.acknowledge')}
					</button>
				),
		},
	];

	const count = list.data.value?.length ?? 0;
	return (
		<>
			<div class="title-row">
				<h1>{t('alerts.title')}</h1>
				{count > 0 && <span class="quiet">{t('alerts.count', { n: count })}</span>}
			</div>
			<FormProblem form={form} />
			<PolledColumns list={list} columns={columns} rowKey={({ id }) => id} empty={t('alerts.empty')} />
			<AcknowledgedAlerts />
			<AlertRules />
		</>
	);
}
