import { useSignal } from '@preact/signals';

import type { FormState } from '../state/form.ts';
import { LINE, type Transport } from '../state/device-body.ts';
import { usePoll } from '../state/poll.ts';
import { tf } from '../text-field.ts';
import type { LineSettings, PortView } from '../wire-field.ts';
import { type Choice, ChoiceField, TextField } from './field.tsx';
import { MoreFields } from './more-fields.tsx';
import { portName } from './port-name.ts';

const PORTS_PERIOD_MS = 5_000;
const RATES = [1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] as const;

interface LineFieldsProps {
	readonly form: FormState;
	readonly transport: Transport;
	/** What a scan found, or the device has. */
	readonly preset: LineSettings | null;
	/** Rate of the model, for a line that nobody shares. */
	readonly usualRate?: number | null;
}

/** Transports that use a port of this box, and those that are a rate behind a converter. */
const ON_PORT: ReadonlySet<Transport> = new Set(['rtu', 'ascii', 'serial']);
const BEHIND_CONVERTER: ReadonlySet<Transport> = new Set(['rtu-over-tcp', 'ascii-over-tcp']);

/** Where a device is, by the kind of its line. */
export function LineFields({ form, transport, preset, usualRate = null }: LineFieldsProps) {
	if (ON_PORT.has(transport)) return <SerialFields form={form} preset={preset} usualRate={usualRate} />;
	return (
		<>
			<HostFields form={form} preset={preset} port={transport === 'tcp' ? 502 : undefined} />
			{BEHIND_CONVERTER.has(transport) && (
				<ChoiceField
					form={form}
					name={`${LINE}.baud_rate`}
					label={tf('add.baudRateBehind')}
					hint={tf('add.converterHint')}
					choices={ratesWith(preset?.baud_rate)}
					value={String(preset?.baud_rate ?? 9600)}
				/>
			)}
		</>
	);
}

const plain = (values: readonly (string | number)[]): readonly Choice[] =>
	values.map((value) => ({ value: String(value), label: String(value) }));

/** The usual rates, and the one that was found. */
const ratesWith = (rate: number | undefined): readonly Choice[] =>
	plain([...new Set([...RATES, ...(rate === undefined ? [] : [rate])])].toSorted((one, other) => one - other));

interface HostFieldsProps extends Pick<LineFieldsProps, 'form' | 'preset'> {
	readonly port: number | undefined;
}

function HostFields({ form, preset, port }: HostFieldsProps) {
	const number = preset?.port ?? port;
	return (
		<>
			<TextField
				form={form}
				name={`${LINE}.host`}
				label={tf('add.host')}
				autocomplete="off"
				{...(preset?.host !== undefined && { value: preset.host })}
			/>
			<TextField
				form={form}
				name={`${LINE}.port`}
				type="number"
				label={tf('add.port')}
				min={1}
				max={65_535}
				{...(number !== undefined && { value: number })}
			/>
		</>
	);
}

function SerialFields({ form, preset, usualRate }: Omit<LineFieldsProps, 'transport'>) {
	const rate = preset?.baud_rate ?? usualRate ?? 9600;
	return (
		<>
			<PathField form={form} path={preset?.path ?? null} />
			<ChoiceField
				form={form}
				name={`${LINE}.baud_rate`}
				label={tf('add.baudRate')}
				choices={ratesWith(rate)}
				value={String(rate)}
			/>
			<ChoiceField
				form={form}
				name={`${LINE}.parity`}
				label={tf('add.parity')}
				choices={plain(['none', 'even', 'odd'])}
				value={preset?.parity ?? 'none'}
			/>
			<ChoiceField
				form={form}
				name={`${LINE}.data_bits`}
				label={tf('add.dataBits')}
				choices={plain([8, 7])}
				value={String(preset?.data_bits ?? 8)}
			/>
			<ChoiceField
				form={form}
				name={`${LINE}.stop_bits`}
				label={tf('add.stopBits')}
				choices={plain([1, 2])}
				value={String(preset?.stop_bits ?? 1)}
			/>
		</>
	);
}

const OTHER = '';

/** The ports of this box, and the one that a scan found under a name of its own. */
function choicesOf(ports: readonly PortView[], path: string | null): readonly Choice[] {
	const isListed = path === null || ports.some((port) => port.path === path);
	return [
		...ports.map((port) => ({ value: port.path, label: portName(port) })),
		...(isListed ? [] : [{ value: path, label: path }]),
		{ value: OTHER, label: tf('add.pathOther') },
	];
}

/** The ports of this box by their adapters; a path is typed only where none of them is meant. */
function PathField({ form, path }: { readonly form: FormState; readonly path: string | null }) {
	const ports = usePoll<readonly PortView[]>('/api/v1/ports', PORTS_PERIOD_MS);
	const picked = useSignal<string | null>(path);
	const isComing = ports.data.value === null && ports.error.value === null;
	if (isComing && path === null) return null;
	const choices = choicesOf(ports.data.value ?? [], path);
	const chosen = picked.value ?? choices[0]?.value ?? OTHER;
	const isTyped = chosen === OTHER;
	return (
		<>
			<ChoiceField
				form={form}
				name={isTyped ? 'port-choice' : `${LINE}.path`}
				label={tf('add.path')}
				choices={choices}
				value={chosen}
				onChoose={(value) => (picked.value = value)}
				{...(isTyped ? {} : { hint: chosen })}
			/>
			{isTyped && (
				<TextField
					form={form}
					name={`${LINE}.path`}
					label={tf('add.pathTyped')}
					hint={tf('add.pathHint')}
					autocomplete="off"
				/>
			)}
		</>
	);
}

export const TCP_MORE = ['depth', 'close_after_poll', 'tls', 'tls.authority', 'tls.certificate', 'tls.server_name'].map(
	(name) => `${LINE}.${name}`,
);

/** What few Modbus TCP devices want. */
export function TcpMore({ form, preset }: Pick<LineFieldsProps, 'form' | 'preset'>) {
	const isTls = useSignal(preset?.tls !== undefined);
	return (
		<MoreFields form={form} names={TCP_MORE} title={tf('add.more')}>
			<div class="fields">
				<TextField
					form={form}
					name={`${LINE}.depth`}
					type="number"
					label={tf('add.depth')}
					hint={tf('add.depthHint')}
					value={preset?.depth ?? 1}
					min={1}
					max={16}
				/>
			</div>
			<label class="tick">
				<input type="checkbox" name={`${LINE}.close_after_poll`} defaultChecked={preset?.close_after_poll === true} />
				<span>{tf('add.close')}</span>
			</label>
			<label class="tick">
				<input
					type="checkbox"
					name={`${LINE}.tls`}
					defaultChecked={isTls.value}
					onChange={(event) => (isTls.value = event.currentTarget.checked)}
				/>
				<span>{tf('add.tls')}</span>
			</label>
			{isTls.value && (
				<div class="fields">
					<TextField
						form={form}
						name={`${LINE}.tls.authority`}
						label={tf('add.tlsAuthority')}
						hint={tf('add.tlsAuthorityHint')}
					/>
					<TextField
						form={form}
						name={`${LINE}.tls.certificate`}
						label={tf('add.tlsCertificate')}
						hint={tf('add.tlsCertificateHint')}
					/>
					<TextField form={form} name={`${LINE}.tls.server_name`} label={tf('add.tlsName')} />
				</div>
			)}
		</MoreFields>
	);
}
