import { useSignal } from '@preact/signals';

import { Age } from '../part/age.tsx';
import { type Column, Columns } from '../part/columns.tsx';
import { FormDialog } from '../part/dialog.tsx';
import { FormProblem } from '../part/field.tsx';
import { GatewayState } from '../part/gateway-state.tsx';
import { Icon } from '../part/icon.tsx';
import { ImportBundle } from '../part/import-bundle.tsx';
import { Once } from '../part/once.tsx';
import { formatCount, formatDay, formatTime } from '../format.ts';
import { link } from '../router.ts';
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
		cell: (gateway) => <GatewayName gateway={gateway} />,
	},
	{
		title: 'gateways.state',
		cell: (gateway) => (
			<>
				<GatewayState gateway={gateway} />
				<CertificateState gateway={gateway} />
			</>
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

/** The way to its ledger, clock and configuration. */
const GatewayName = ({ gateway: { name, id } }: { readonly gateway: GatewayView }) => (
	<>
		<a href={link('gateways', id)}>
			<strong>{name}</strong>
		</a>
		<small class="id">{id}</small>
	</>
);

/** A certificate renews itself long before this; one that is so near its end belongs to a gateway that was away for long. */
const CERTIFICATE_SOON_MS = 7 * 86_400_000;

function CertificateState({ gateway }: { readonly gateway: GatewayView }) {
	const { clock } = useServices();
	const { certificate_expires_at: end, revoked_at } = gateway;
	if (end === null || revoked_at !== null) return null;
	const leftMs = Date.parse(end) - clock.now.value;
	const time = formatDay(end);
	if (leftMs > CERTIFICATE_SOON_MS) return <small>{t('gateways.certificate', { time })}</small>;
	return (
		<small class="warn-text">{t(leftMs > 0 ? 'gateways.certificate' : 'gateways.certificateEnded', { time })}</small>
	);
}

/** The fleet, and how complete its data is here. */
export function GatewaysPage() {
	const { api, me } = useServices();
	const { data, error, reload } = usePoll<readonly GatewayView[]>('/api/v1/gateways', PERIOD_MS);
	const form = useForm([]);
	const code = useSignal<EnrolmentCodeView | null>(null);
	const doomed = useSignal<GatewayView | null>(null);
	const gateways = data.value;
	const mayEnrol = me.may('gateways:delete');

	const makeCode = (id: string | null) =>
		form.send(async () => {
			code.value = await api.post<EnrolmentCodeView>('/api/v1/gateways/enrolment-codes', { gateway_id: id });
		});

	const actions: Column<GatewayView> = {
		title: 'app.actions',
		cell: (gateway) => (
			<div class="row-actions">
				<button type="button" onClick={() => void makeCode(gateway.id)}>
					{t('gateways.enrolAgain')}
				</button>
				{gateway.revoked_at === null && (
					<button type="button" onClick={() => (doomed.value = gateway)}>
						{t('gateways.revoke')}
					</button>
				)}
			</div>
		),
	};

	return (
		<>
			<div class="title-row">
				<h1>{t('gateways.title')}</h1>
				<span class="spring" />
				<ImportBundle onDone={reload} />
				{mayEnrol && (
					<button type="button" class="primary" disabled={form.busy.value} onClick={() => void makeCode(null)}>
						<Icon name="plus" />
						{t('gateways.newCode')}
					</button>
				)}
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
				<Columns columns={mayEnrol ? [...COLUMNS, actions] : COLUMNS} rows={gateways} rowKey={({ id }) => id} />
			)}
			{doomed.value !== null && (
				<Revoke
					gateway={doomed.value}
					onClose={() => {
						doomed.value = null;
						reload();
					}}
				/>
			)}
			{code.value !== null && (
				<Once
					title={t('gateways.newCode')}
					lead={leadOf(code.value, gateways ?? [])}
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

function leadOf({ gateway_id: id }: EnrolmentCodeView, gateways: readonly GatewayView[]): string {
	if (id === null) return t('gateways.codeLead');
	return t('gateways.codeLeadFor', { name: gateways.find((gateway) => gateway.id === id)?.name ?? id });
}

function Revoke({ gateway, onClose }: { readonly gateway: GatewayView; readonly onClose: () => void }) {
	const { api } = useServices();
	const form = useForm([]);
	return (
		<FormDialog
			title={t('gateways.revokeWhich', { name: gateway.name })}
			form={form}
			submit={t('gateways.revoke')}
			danger
			onClose={onClose}
			onSend={() => api.remove(`/api/v1/gateways/${gateway.id}`)}
		>
			<p>{t('gateways.revokeLead')}</p>
		</FormDialog>
	);
}
