import { formatValue, pointName } from '../format.ts';
import { shownQuality } from '../state/freshness.ts';
import type { PointValue } from '../state/devices.ts';
import { useServices } from '../state/services.ts';
import { QualityMark } from './status.tsx';

/** Number and unit; anything but good is struck in looks, so that an old value never passes for a fresh one. */
export function ValueText({ value, quality }: { readonly value: PointValue; readonly quality: PointValue['quality'] }) {
	return (
		<span class={`value q-${quality}`}>
			<span class="number">{formatValue(value.value)}</span> <span class="unit">{value.unit}</span>
		</span>
	);
}

/** A value with its name, for lists of devices. */
export function NamedValue(props: { readonly point: string; readonly value: PointValue; readonly freshMs: number }) {
	const { clock } = useServices();
	const quality = shownQuality(props.value, props.freshMs, clock.now.value);
	return (
		<div class="named-value">
			<dt>{pointName(props.point)}</dt>
			<dd>
				<ValueText value={props.value} quality={quality} />
				<QualityMark quality={quality} />
			</dd>
		</div>
	);
}
