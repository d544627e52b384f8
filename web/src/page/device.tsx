import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { formatTime, pointName } from '../format.ts';
import { Commands } from '../part/commands.tsx';
import { Completeness } from '../part/completeness.tsx';
import { Energy } from '../part/energy.tsx';
import { FormProblem } from '../part/field.tsx';
import { History } from '../part/history.tsx';
import { Icon } from '../part/icon.tsx';
import { Once } from '../part/once.tsx';
import { Points } from '../part/points.tsx';
import { HealthMark } from '../part/status.tsx';
import { NamelessValue } from '../part/value.tsx';
import { link } from '../router.ts';
import { ApiError } from '../api.ts';
import { useForm } from '../state/form.ts';
import { healthOf } from '../state/freshness.ts';
import { headlines } from '../state/headline.ts';
import { useServices } from '../state/services.ts';
import { th } from '../text-history.ts';
import { t } from '../text.ts';
import type { CredentialsView, DeviceView } from '../wire.ts';

/** One device: all its points, one of them over time, what it has counted, and what is missing of it. */
export function DevicePage() {
	const { devices, live, place } = useServices();
	const missing = useSignal(false);
	const wanted = place.value.id ?? '';

	useEffect(() => {
		async function open(): Promise<void> {
			try {
				await devices.open(wanted);
			} catch (error) {
				// Any other failure ends in a reconnection, which asks again.
				missing.value = error instanceof ApiError && error.status === 404;
			}
		}

		void open();
		return live.watch(wanted);
	}, [devices, live, wanted, missing]);

	const isIt = ({ id, device_uid: uid }: DeviceView): boolean => id === wanted || uid === wanted;
	const opened = devices.opened.value;
	const device = opened !== null && isIt(opened) ? opened : devices.page.value?.items.find(isIt);
	return (
		<>
			<a class="back" href={link('devices')}>
				<Icon name="back" />
				{t('device.back')}
			</a>
			{device === undefined ? (
				<p class="quiet">{t(missing.value ? 'device.notFound' : 'app.loading')}</p>
			) : (
				<DeviceDetail device={device} />
			)}
		</>
	);
}

function DeviceDetail({ device }: { readonly device: DeviceView }) {
	const { devices, hull, me } = useServices();
	const picked = useSignal<string | null>(null);
	const values = devices.valuesOf(device.id).value;
	const chosen = picked.value ?? headlines(values)[0]?.point ?? null;
	const newest = chosen === null ? undefined : values.get(chosen);
	const health = healthOf(device);
	return (
		<>
			<div class="title-row">
				<h1>{device.name}</h1>
				<HealthMark device={device} />
				<span class="quiet id">{device.device_uid}</span>
				<span class="spring" />
				{hull === 'gateway' && me.may('devices:write') && (
					<a class="button" href={link('edit-device', device.id)}>
						{t('app.edit')}
					</a>
				)}
				<CredentialsButton device={device} />
			</div>
			{health.reason !== null && (
				<p class="reason">
					{health.reason} {health.since !== null && t('device.since', { time: formatTime(health.since) })}
				</p>
			)}
			{chosen !== null && (
				<section class="card">
					<div class="chart-title">
						<h2>{th('chart.title', { point: pointName(chosen) })}</h2>
						{newest !== undefined && <NamelessValue value={newest} />}
					</div>
					<History key={`${device.id}/${chosen}`} device={device} point={chosen} />
				</section>
			)}
			<Points
				values={values}
				chosen={chosen}
				onChoose={(point) => {
					picked.value = point;
				}}
			/>
			<Energy device={device} values={values} chosen={chosen} />
			<Completeness device={device} />
			<Commands device={device} />
		</>
	);
}

/** Only where the device logs in at this box, and for those who may let it. */
function CredentialsButton({ device }: { readonly device: DeviceView }) {
	const { api, hull, me } = useServices();
	const form = useForm([]);
	const made = useSignal<CredentialsView | null>(null);

	const make = () =>
		form.send(async () => {
			made.value = await api.post<CredentialsView>(`/api/v1/devices/${encodeURIComponent(device.id)}/mqtt-credentials`);
		});

	if (hull !== 'gateway' || device.connection?.driver !== 'mqtt' || !me.may('devices:write')) return null;
	return (
		<>
			<button type="button" disabled={form.busy.value} onClick={() => void make()}>
				<Icon name="key" />
				{t('device.credentialsNew')}
			</button>
			<FormProblem form={form} />
			{made.value !== null && (
				<Once
					title={t('device.credentials')}
					lead={t('device.credentialsLead')}
					secrets={[
						{ label: t('once.username'), value: made.value.username },
						{ label: t('once.password'), value: made.value.password },
					]}
					onClose={() => {
						made.value = null;
					}}
				/>
			)}
		</>
	);
}
