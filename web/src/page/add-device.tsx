import { DeviceForm } from '../part/device-form.tsx';
import { BLANK, presetOfFound } from '../state/device-preset.ts';
import { useFound } from '../state/found.ts';
import { useServices } from '../state/services.ts';
import { tf } from '../text-field.ts';
import { t } from '../text.ts';
import type { DeviceView } from '../wire.ts';

/** A new device: empty, or as a scan found it. */
export function AddDevicePage() {
	const { api, place } = useServices();
	const found = useFound(place.value.id).unit.value;
	if (found === undefined) return <p class="quiet">{t('app.loading')}</p>;
	return (
		<DeviceForm
			preset={found === null ? BLANK : presetOfFound(found)}
			device={null}
			title={tf('add.title')}
			submit={tf('add.submit')}
			save={(body) => api.post<DeviceView>('/api/v1/devices', body)}
		>
			{found !== null && <p class="quiet">{tf('add.fromScan')}</p>}
		</DeviceForm>
	);
}
