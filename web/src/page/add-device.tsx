import { useSignal } from '@preact/signals';

import { type Choice, ChoiceField, FormProblem, TextField, readForm } from '../part/field.tsx';
import { go, link } from '../router.ts';
import { type FormState, useForm } from '../state/form.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { type TextKey, t } from '../text.ts';
import type { DeviceView, TemplateView } from '../wire.ts';

type Kind = 'tcp' | 'rtu' | 'mqtt';
type Field = (name: string) => string;

const TEMPLATES_PERIOD_MS = 60_000;
const LINE = 'connection.line';

interface NumberField {
	readonly name: string;
	readonly label: TextKey;
	readonly preset: number;
	readonly min: number;
	readonly max: number;
}

const TIMING: readonly NumberField[] = [
	{ name: 'connection.unit_id', label: 'add.unitId', preset: 1, min: 0, max: 255 },
	{ name: 'connection.period_ms', label: 'add.period', preset: 1_000, min: 50, max: 86_400_000 },
	{ name: 'connection.timeout_ms', label: 'add.timeout', preset: 1_000, min: 10, max: 60_000 },
];

const NUMBER_CHOICES = {
	baud_rate: [1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200],
	data_bits: [8, 7],
	stop_bits: [1, 2],
} as const;

const KNOWN_FIELDS: readonly string[] = [
	'name',
	'device_uid',
	'device_type',
	'connection.template',
	...TIMING.map(({ name }) => name),
	...['host', 'port', 'path', 'baud_rate', 'parity', 'data_bits', 'stop_bits'].map((name) => `${LINE}.${name}`),
];

const numeric = (field: Field, name: string): number | null => (field(name) === '' ? null : Number(field(name)));

const LINES: Readonly<Record<'tcp' | 'rtu', (field: Field) => Readonly<Record<string, unknown>>>> = {
	tcp: (field) => ({ transport: 'tcp', host: field(`${LINE}.host`).trim(), port: numeric(field, `${LINE}.port`) }),
	rtu: (field) => ({
		transport: 'rtu',
		path: field(`${LINE}.path`).trim(),
		baud_rate: numeric(field, `${LINE}.baud_rate`),
		parity: field(`${LINE}.parity`),
		data_bits: numeric(field, `${LINE}.data_bits`),
		stop_bits: numeric(field, `${LINE}.stop_bits`),
	}),
};

function bodyOf(kind: Kind, field: Field): Readonly<Record<string, unknown>> {
	const uid = field('device_uid').trim();
	const device = {
		name: field('name').trim(),
		device_type: field('device_type').trim(),
		...(uid === '' ? {} : { device_uid: uid }),
	};
	if (kind === 'mqtt') return { ...device, connection: { driver: 'mqtt' } };
	const timing = {
		unit_id: numeric(field, 'connection.unit_id'),
		period_ms: numeric(field, 'connection.period_ms'),
		timeout_ms: numeric(field, 'connection.timeout_ms'),
	};
	const template = field('connection.template');
	return { ...device, connection: { driver: 'modbus', line: LINES[kind](field), template, ...timing } };
}

export function AddDevicePage() {
	const { api } = useServices();
	const form = useForm(KNOWN_FIELDS);
	const kind = useSignal<Kind>('tcp');

	function submit(element: HTMLFormElement): void {
		const body = bodyOf(kind.value, readForm(element));
		void form.send(async () => {
			const device = await api.post<DeviceView>('/api/v1/devices', body);
			go('devices', device.id);
		});
	}

	return (
		<form
			class="card form-wide"
			// The server's sentences name the rule and the value; the browser's own bubbles would come first and say less.
			noValidate
			onSubmit={(event) => {
				event.preventDefault();
				submit(event.currentTarget);
			}}
		>
			<h1>{t('add.title')}</h1>
			<FormProblem form={form} />
			<KindChoice kind={kind.value} onChoose={(chosen) => (kind.value = chosen)} />
			<div class="fields">
				<TextField form={form} name="name" label={t('add.name')} autocomplete="off" focus />
				<TextField form={form} name="device_uid" label={t('add.uid')} hint={t('add.uidHint')} autocomplete="off" />
				<TextField form={form} name="device_type" label={t('add.type')} value="meter" autocomplete="off" />
				{kind.value === 'tcp' && <TcpFields form={form} />}
				{kind.value === 'rtu' && <RtuFields form={form} />}
				{kind.value !== 'mqtt' && <ModbusFields form={form} />}
			</div>
			{kind.value === 'mqtt' && <p class="hint">{t('add.mqttHint')}</p>}
			<div class="actions">
				<button class="primary" disabled={form.busy.value}>
					{t('add.submit')}
				</button>
				<a class="button" href={link('devices')}>
					{t('add.cancel')}
				</a>
			</div>
		</form>
	);
}

const KINDS: readonly Kind[] = ['tcp', 'rtu', 'mqtt'];

function KindChoice({ kind, onChoose }: { readonly kind: Kind; readonly onChoose: (kind: Kind) => void }) {
	return (
		<fieldset class="choice">
			<legend>{t('add.kind')}</legend>
			{KINDS.map((each) => (
				<label key={each}>
					<input type="radio" name="kind" value={each} checked={each === kind} onChange={() => onChoose(each)} />
					<span>{t(`add.${each}`)}</span>
				</label>
			))}
		</fieldset>
	);
}

interface PartProps {
	readonly form: FormState;
}

function TcpFields({ form }: PartProps) {
	return (
		<>
			<TextField form={form} name={`${LINE}.host`} label={t('add.host')} autocomplete="off" />
			<TextField
				form={form}
				name={`${LINE}.port`}
				type="number"
				label={t('add.port')}
				value={502}
				min={1}
				max={65_535}
			/>
		</>
	);
}

const plain = (values: readonly (string | number)[]): readonly Choice[] =>
	values.map((value) => ({ value: String(value), label: String(value) }));

function RtuFields({ form }: PartProps) {
	return (
		<>
			<TextField form={form} name={`${LINE}.path`} label={t('add.path')} hint={t('add.pathHint')} autocomplete="off" />
			<ChoiceField
				form={form}
				name={`${LINE}.baud_rate`}
				label={t('add.baudRate')}
				choices={plain(NUMBER_CHOICES.baud_rate)}
				value="9600"
			/>
			<ChoiceField
				form={form}
				name={`${LINE}.parity`}
				label={t('add.parity')}
				choices={plain(['none', 'even', 'odd'])}
			/>
			<ChoiceField
				form={form}
				name={`${LINE}.data_bits`}
				label={t('add.dataBits')}
				choices={plain(NUMBER_CHOICES.data_bits)}
			/>
			<ChoiceField
				form={form}
				name={`${LINE}.stop_bits`}
				label={t('add.stopBits')}
				choices={plain(NUMBER_CHOICES.stop_bits)}
			/>
		</>
	);
}

function templateChoice({ key, manufacturer, model, mistakes = [] }: TemplateView): Choice {
	const name = `${manufacturer} ${model}`;
	if (mistakes.length === 0) return { value: key, label: name };
	return { value: key, label: `${name} (${t('add.templateBad', { n: mistakes.length })})`, disabled: true };
}

function ModbusFields({ form }: PartProps) {
	const { data, error } = usePoll<readonly TemplateView[]>('/api/v1/templates', TEMPLATES_PERIOD_MS);
	const choices = [{ value: '', label: t('add.templateNone') }, ...(data.value ?? []).map(templateChoice)];
	return (
		<>
			<ChoiceField
				form={form}
				name="connection.template"
				label={t('add.template')}
				choices={choices}
				{...(error.value === null ? {} : { hint: error.value })}
			/>
			{TIMING.map(({ name, label, preset, min, max }) => (
				<TextField
					key={name}
					form={form}
					name={name}
					type="number"
					label={t(label)}
					value={preset}
					min={min}
					max={max}
				/>
			))}
		</>
	);
}
