import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { DeviceForm } from '../part/device-form.tsx';
import { Problem } from '../part/list.tsx';
import { presetOfDevice } from '../state/device-preset.ts';
import { useServices } from '../state/services.ts';
import { td } from '../text-device.ts';
import { t } from '../text.ts';
import type { DeviceView } from '../wire.ts';

/** A device that is there, to be changed. It is asked for once: what somebody types is not overwritten. */
export function EditDevicePage() {
	const { api, place } = useServices();
	const device = useSignal<DeviceView | null>(null);
	const problem = useSignal<string | null>(null);
	const path = `/api/v1/devices/${encodeURIComponent(place.value.id ?? '')}`;
	useEffect(() => {
		async function ask(): Promise<void> {
			try {
				device.value = await api.get<DeviceView>(path);
			} catch (error) {
				problem.value = error instanceof Error ? error.message : t('error.unreachable');
			}
		}
		void ask();
	}, [api, device, problem, path]);

	const current = device.value;
	if (problem.value !== null) return <Problem>{problem.value}</Problem>;
	if (current === null) return <p class="quiet">{t('app.loading')}</p>;
	return (
		<DeviceForm
			preset={presetOfDevice(current)}
			device={current}
			title={td('edit.title', { name: current.name })}
			submit={t('app.save')}
			save={(body) => api.patch<DeviceView>(path, body)}
		/>
	);
}
