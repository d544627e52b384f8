import { tf } from '../text-field.ts';
import type { PortView } from '../wire-field.ts';

/** The adapter as it calls itself; a built-in port by its device. */
export function portName({ usb, device }: PortView): string {
	const own = [usb?.manufacturer, usb?.product, usb?.serial_number].filter((part) => typeof part === 'string');
	const name = own.join(' ');
	return name === '' ? device : `${name} (${device})`;
}

/** Who has it open, or means to. */
export function portUse({ path, in_use_by: holder, known_as: knownAs }: PortView): string {
	if (holder !== null && !holder.is_gateway) return tf('scan.usedBy', { name: holder.name, pid: holder.pid });
	if (holder === null && knownAs.length === 0) return tf('scan.free');
	const others = knownAs.filter((name) => name !== path);
	return others.length === 0 ? tf('scan.usedHere') : tf('scan.usedHereAs', { names: others.join(', ') });
}
