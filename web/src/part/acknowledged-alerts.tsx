import { link } from '../router.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { AlertView } from '../wire.ts';
import { Age } from './age.tsx';
import type { Column } from './columns.tsx';
import { PolledColumns } from './list.tsx';
import { SeverityMark } from './severity.tsx';

const PERIOD_MS = 10_000;
const MOST = 20;

const COLUMNS: readonly Column<AlertView>[] = [
	{ title: 'alerts.severity', cell: ({ severity }) => <SeverityMark severity={severity} /> },
	{ title: 'alerts.message', cell: ({ message, device_id }) => <a href={link('devices', device_id)}>{message}</a> },
	{ title: 'alerts.by', cell: ({ acknowledged_by_email }) => acknowledged_by_email ?? '–' },
	{
		title: 'alerts.acknowledged',
		cell: ({ acknowledged_at }) => acknowledged_at !== null && <Age atMs={Date.parse(acknowledged_at)} />,
	},
];

/** Who has seen the newest alerts, here or at the other box. */
export function AcknowledgedAlerts() {
	const { notices } = useServices();
	const path = `/api/v1/monitoring/alerts?acknowledged=true&limit=${MOST}`;
	const list = usePoll<readonly AlertView[]>(path, PERIOD_MS, notices.heard);
	return (
		<section>
			<h2>{t('alerts.acknowledged')}</h2>
			<PolledColumns list={list} columns={COLUMNS} rowKey={({ id }) => id} empty={t('alerts.none-acknowledged')} />
		</section>
	);
}
