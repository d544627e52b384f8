import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { ApiError, type DocumentAnswer } from '../api.ts';
import { DeviceForm } from '../part/device-form.tsx';
import { Problem } from '../part/list.tsx';
import { presetOfDevice } from '../state/device-preset.ts';
import type { Body } from '../state/read-field.ts';
import { useServices } from '../state/services.ts';
import { td } from '../text-device.ts';
import { t } from '../text.ts';
import type { DeviceView } from '../wire.ts';

/** The device is another one by now than the one that was changed here. */
const PRECONDITION_FAILED = 412;

/** A device that is there, to be changed. It is asked for once: what somebody types is not overwritten. */
export function EditDevicePage() {
	const { api, place } = useServices();
	const device = useSignal<DocumentAnswer<DeviceView> | null>(null);
	const problem = useSignal<string | null>(null);
	const isOvertaken = useSignal(false);
	const path = `/api/v1/devices/${encodeURIComponent(place.value.id ?? '')}`;

	async function ask(): Promise<void> {
		try {
			device.value = await api.document<DeviceView>(path);
			isOvertaken.value = false;
		} catch (error) {
			problem.value = error instanceof Error ? error.message : t('error.unreachable');
		}
	}
	// The page is another one for each device.
	useEffect(() => void ask(), []);

	async function save(body: Body, etag: string | undefined): Promise<DeviceView | null> {
		isOvertaken.value = false;
		try {
			return await api.patch<DeviceView>(path, body, etag);
		} catch (error) {
			if (!(error instanceof ApiError) || error.status !== PRECONDITION_FAILED) throw error;
			isOvertaken.value = true;
			return null;
		}
	}

	if (problem.value !== null) return <Problem>{problem.value}</Problem>;
	if (device.value === null) return <p class="quiet">{t('app.loading')}</p>;
	const { body: current, etag } = device.value;
	return (
		<DeviceForm
			key={etag}
			preset={presetOfDevice(current)}
			device={current}
			title={td('edit.title', { name: current.name })}
			submit={t('app.save')}
			save={(body) => save(body, etag)}
		>
			{isOvertaken.value && <Overtaken onReload={() => void ask()} />}
		</DeviceForm>
	);
}

/** The button to save is far below. */
const focus = (element: HTMLElement | null): void => element?.focus();

/** Somebody else was faster. */
function Overtaken({ onReload }: { readonly onReload: () => void }) {
	return (
		<div class="overtaken" role="alert">
			<p class="mistake">{td('edit.overtaken')}</p>
			<p>{td('edit.overtakenWay')}</p>
			<button type="button" ref={focus} onClick={onReload}>
				{td('edit.reload')}
			</button>
		</div>
	);
}
