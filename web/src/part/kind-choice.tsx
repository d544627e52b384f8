import { type Kind, isStream } from '../state/device-body.ts';
import { td } from '../text-device.ts';
import { tf } from '../text-field.ts';

const KINDS: readonly Kind[] = ['tcp', 'rtu', 'ascii', 'rtu-over-tcp', 'ascii-over-tcp', 'serial', 'socket', 'mqtt'];

interface KindChoiceProps {
	readonly kind: Kind;
	readonly onChoose: (kind: Kind) => void;
}

/** How the device is reached. */
export function KindChoice({ kind, onChoose }: KindChoiceProps) {
	return (
		<fieldset class="choice">
			<legend>{tf('add.kind')}</legend>
			{KINDS.map((each) => (
				<label key={each}>
					<input type="radio" name="kind" value={each} checked={each === kind} onChange={() => onChoose(each)} />
					<span>{isStream(each) ? td(`kind.${each}`) : tf(`add.${each}`)}</span>
				</label>
			))}
		</fieldset>
	);
}
