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

/** A value and, unless it is good, what is wrong with it now. */
export function NamelessValue({ value }: { readonly value: PointValue }) {
	const { clock } = useServices();
	const quality = shownQuality(value, clock.now.value);
	return (
		<>
			<ValueText value={value} quality={quality} />
			<QualityMark quality={quality} />
		</>
	);
}

/** A value with its name, for lists of devices. */
export function NamedValue({ point, value }: { readonly point: string; readonly value: PointValue }) {
	return (
		<div class="named-value">
			<dt>{pointName(point)}</dt>
			<dd>
				<NamelessValue value={value} />
			</dd>
		</div>
	);
}
