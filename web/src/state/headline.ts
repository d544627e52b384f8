import type { PointValue, PointValues } from './devices.ts';

/** What a person asks a device first, most wanted first. */
const WANTED: readonly RegExp[] = [
	/^(?:total_)?(?:active_)?power(?:_total|_active|_ac)?$|^(?:total_(?:system_)?(?:active_)?power)$|^active_power_total$/,
	/^(?:total_)?(?:active_)?energy(?:_import)?(?:_total)?$|^(?:total_)?(?:import|active)_energy(?:_active|_total)?$|^energy_import/,
	/^temperature|_temperature$/,
	/^voltage(?:_l1|_l1_n|_ln_avg)?$/,
	/^frequency/,
	/^humidity/,
	/^current(?:_l1)?$/,
];

const MOST = 4;

export interface Headline {
	readonly point: string;
	readonly value: PointValue;
}

/** At most four values that stand for the device; its first ones where nothing is known of it. */
export function headlines(values: PointValues): readonly Headline[] {
	const points = [...values.keys()];
	const chosen = new Set<string>();
	for (const pattern of WANTED) {
		const found = points.find((point) => pattern.test(point));
		if (found !== undefined) chosen.add(found);
	}
	for (const point of points) {
		if (chosen.size >= MOST) break;
		chosen.add(point);
	}
	return [...chosen].slice(0, MOST).flatMap((point) => {
		const value = values.get(point);
		return value === undefined ? [] : [{ point, value }];
	});
}
