import { useSignal } from '@preact/signals';

import { Age } from '../part/age.tsx';
import { type Column, Columns } from '../part/columns.tsx';
import { FormProblem } from '../part/field.tsx';
import { Icon } from '../part/icon.tsx';
import { Once } from '../part/once.tsx';
import { Status } from '../part/status.tsx';
import { formatCount, formatTime } from '../format.ts';
import { useForm } from '../state/form.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { type TextKey, t } from '../text.ts';
import type { EnrolmentCodeView, GatewayView } from '../wire.ts';

const PERIOD_MS = 2_000;

const counter = (title: TextKey, read: (gateway: GatewayView) => number): Column<GatewayView> => ({
	title,
	numeric: true,
	cell: (gateway) => formatCount(read(gateway)),
});

const COLUMNS: readonly Column<GatewayView>[] = [
	{
		title: 'gateways.name',
		cell: ({ name, id }) => (
			<>
				<strong>{name}</strong>
				<small class="id">{id}</small>
			</>
		),
	},
	{
		title: 'gateways.state',
		cell: ({ online }) => (
			<Status tone={online ? 'ok' : 'bad'} icon={online ? 'ok' : 'offline'}>
				{t(online ? 'gateways.online' : 'gateways.offline')}
			</Status>
		),
	},
	{
		title: 'gateways.lastSeen',
		cell: ({ last_seen_at }) => (last_seen_at === null ? t('devices.never') : <Age atMs={Date.parse(last_seen_at)} />),
	},
	counter('gateways.devices', (gateway) => gateway.devices),
	counter('gateways.received', (gateway) => gateway.received_samples),
	counter('gateways.missing', (gateway) => gateway.missing_samples),
	counter('gateways.lost', (gateway) => gateway.declared_lost_samples),
];

/** The fleet, and how complete its data is here. */
export function GatewaysPage() {
	const { api } = useServices();
	const { data, error } = usePoll<readonly GatewayView[]>('/api/v1/gateways', PERIOD_MS);
	const form = useForm([]);
	const code = useSignal<EnrolmentCodeView | null>(null);
	const gateways = data.value;

	const makeCode = () =>
		form.send(async () => {
			code.value = await api.post<EnrolmentCodeView>('/api/v1/gateways/enrolment-codes');
		});

	return (
		<>
			<div class="title-row">
				<h1>{t('gateways.title')}</h1>
				<span class="spring" />
				<button type="button" class="primary" disabled={form.busy.value} onClick={() => void makeCode()}>
					<Icon name="plus" />
					{t('gateways.newCode')}
				</button>
			</div>
			<FormProblem form={form} />
			{error.value !== null && (
				<p class="mistake" role="alert">
					{error.value}
				</p>
			)}
			{gateways === null && <p class="quiet">{t('app.loading')}</p>}
			{gateways?.length === 0 && <p class="quiet">{t('gateways.empty')}</p>}
			{gateways !== null && gateways.length > 0 && (
				<Columns columns={COLUMNS} rows={gateways} rowKey={({ id }) => id} />
			)}
			{code.value !== null && (
				<Once
					title={t('gateways.newCode')}
					lead={t('gateways.codeLead')}
					secrets={[{ label: t('once.code'), value: code.value.code }]}
					onClose={() => {
						code.value = null;
					}}
				>
					<p>{t('once.expires', { time: formatTime(code.value.expires_at) })}</p>
				</Once>
			)}
		</>
	);
}
