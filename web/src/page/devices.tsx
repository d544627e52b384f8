import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { Age } from '../part/age.tsx';
import { Icon } from '../part/icon.tsx';
import { Knocking } from '../part/knocking.tsx';
import { HealthMark } from '../part/status.tsx';
import { NamedValue } from '../part/value.tsx';
import { link } from '../router.ts';
import { healthOf, answeredMs } from '../state/freshness.ts';
import { headlines } from '../state/headline.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { DeviceView, GatewayView } from '../wire.ts';

const GATEWAYS_PERIOD_MS = 15_000;

type GatewayNames = ReadonlyMap<string, string>;

const matches = (device: DeviceView, wanted: string): boolean =>
	`${device.name} ${device.device_uid}`.toLocaleLowerCase().includes(wanted.toLocaleLowerCase());

export function DevicesPage() {
	return useServices().hull === 'hub' ? <HubDevices /> : <DeviceList gateways={null} />;
}

function HubDevices() {
	const { data } = usePoll<readonly GatewayView[]>('/api/v1/gateways', GATEWAYS_PERIOD_MS);
	return <DeviceList gateways={new Map((data.value ?? []).map(({ id, name }) => [id, name]))} />;
}

/** Loads a page of devices and their latest values, and says why it could not. */
function useDevicePage() {
	const { devices, connection } = useServices();
	const problem = useSignal<string | null>(null);

	async function load(number: number): Promise<void> {
		try {
			await devices.loadPage(number);
			problem.value = null;
		} catch (error) {
			problem.value = connection.state.value === 'connected' && error instanceof Error ? error.message : null;
		}
	}

	useEffect(() => void load(1), [devices]);
	return { load, problem };
}

function DeviceList({ gateways }: { readonly gateways: GatewayNames | null }) {
	const { hull, devices, me } = useServices();
	const { load, problem } = useDevicePage();
	const wanted = useSignal('');
	const page = devices.page.value;
	const shown = (page?.items ?? []).filter((device) => matches(device, wanted.value));
	return (
		<>
			<div class="title-row">
				<h1>{t('devices.title')}</h1>
				{page !== null && <span class="quiet">{t('devices.count', { n: page.total })}</span>}
				<span class="spring" />
				<input
					type="search"
					aria-label={t('devices.filter')}
					placeholder={t('devices.filter')}
					onInput={(event) => {
						wanted.value = event.currentTarget.value;
					}}
				/>
				{hull === 'gateway' && me.may('devices:write') && (
					<a class="button primary" href={link('add-device')}>
						<Icon name="plus" />
						{t('devices.add')}
					</a>
				)}
			</div>
			{hull === 'gateway' && me.may('devices:write') && <Knocking onAdopted={() => void load(1)} />}
			{problem.value !== null && (
				<p class="mistake" role="alert">
					{problem.value}
				</p>
			)}
			{page === null ? (
				<p class="quiet">{t('app.loading')}</p>
			) : (
				<DeviceTable devices={shown} gateways={gateways} empty={page.items.length === 0} />
			)}
			{page !== null && page.pages > 1 && <Pager page={page.page} pages={page.pages} onGo={(to) => void load(to)} />}
		</>
	);
}

interface DeviceTableProps {
	readonly devices: readonly DeviceView[];
	readonly gateways: GatewayNames | null;
	readonly empty: boolean;
}

function DeviceTable({ devices, gateways, empty }: DeviceTableProps) {
	const { hull, me } = useServices();
	const isOwnOnly = me.user.value?.role === 'user';
	if (empty)
		return (
			<p class="quiet">{t(isOwnOnly ? 'devices.emptyOwn' : hull === 'hub' ? 'devices.emptyHub' : 'devices.empty')}</p>
		);
	if (devices.length === 0) return <p class="quiet">{t('devices.noMatch')}</p>;
	return (
		<table class="devices" role="table">
			<thead role="rowgroup">
				<tr role="row">
					<th role="columnheader">{t('devices.name')}</th>
					{gateways !== null && <th role="columnheader">{t('devices.gateway')}</th>}
					<th role="columnheader">{t('devices.health')}</th>
					<th role="columnheader">{t('devices.values')}</th>
					<th role="columnheader">{t('devices.answered')}</th>
				</tr>
			</thead>
			<tbody role="rowgroup">
				{devices.map((device) => (
					<DeviceRow key={device.id} device={device} gateways={gateways} />
				))}
			</tbody>
		</table>
	);
}

function DeviceRow({ device, gateways }: { readonly device: DeviceView; readonly gateways: GatewayNames | null }) {
	const { devices, live } = useServices();
	useEffect(() => live.watch(device.id), [live, device.id]);
	const values = devices.valuesOf(device.id).value;
	const health = healthOf(device);
	const seenMs = answeredMs(values) ?? (device.last_seen_at === null ? null : Date.parse(device.last_seen_at));
	return (
		<tr role="row" data-device={device.device_uid}>
			<td role="cell" class="cell-name">
				<a href={link('devices', device.id)}>{device.name}</a>
				<small>{device.device_uid}</small>
			</td>
			{gateways !== null && (
				<td role="cell" class="cell-gateway">
					{gateways.get(device.gateway_id ?? '') ?? device.gateway_id ?? ''}
				</td>
			)}
			<td role="cell" class="cell-health">
				<HealthMark device={device} />
				{health.reason !== null && <small class="reason">{health.reason}</small>}
			</td>
			<td role="cell" class="cell-values">
				<dl class="headlines">
					{headlines(values).map(({ point, value }) => (
						<NamedValue key={point} point={point} value={value} />
					))}
				</dl>
			</td>
			<td role="cell" class="cell-age">
				{seenMs === null ? t('devices.never') : <Age atMs={seenMs} />}
			</td>
		</tr>
	);
}

function Pager(props: { readonly page: number; readonly pages: number; readonly onGo: (page: number) => void }) {
	const { page, pages, onGo } = props;
	return (
		<nav class="pager" aria-label={t('devices.page', { page, pages })}>
			<button type="button" disabled={page <= 1} onClick={() => onGo(page - 1)}>
				{t('devices.previous')}
			</button>
			<span>{t('devices.page', { page, pages })}</span>
			<button type="button" disabled={page >= pages} onClick={() => onGo(page + 1)}>
				{t('devices.next')}
			</button>
		</nav>
	);
}
