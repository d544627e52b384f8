import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { BudgetPreview } from '../part/budget-preview.tsx';
import { FormProblem, TextField, readForm } from '../part/field.tsx';
import { LineFields, TCP_MORE, TcpMore } from '../part/line-fields.tsx';
import { SunspecReader } from '../part/sunspec-reader.tsx';
import { TemplateFields } from '../part/template-fields.tsx';
import { go, link } from '../router.ts';
import { type Kind, LINE, connectionBody, deviceBody, lineBody, optionField } from '../state/device-body.ts';
import { type FormState, useForm } from '../state/form.ts';
import { useFound } from '../state/found.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { type FieldTextKey, tf } from '../text-field.ts';
import { t } from '../text.ts';
import type { FoundUnitView, ModbusTransport, TemplateView } from '../wire-field.ts';
import type { DeviceView } from '../wire.ts';

const TEMPLATES_PERIOD_MS = 60_000;
/** Options of a template that the form can show. */
const MOST_OPTIONS = 50;

interface NumberField {
	readonly name: string;
	readonly label: FieldTextKey;
	readonly preset: number;
	readonly min: number;
	readonly max: number;
}

const UNIT: NumberField = { name: 'connection.unit_id', label: 'add.unitId', preset: 1, min: 0, max: 255 };
const TIMING: readonly NumberField[] = [
	{ name: 'connection.period_ms', label: 'add.period', preset: 1_000, min: 50, max: 86_400_000 },
	{ name: 'connection.timeout_ms', label: 'add.timeout', preset: 1_000, min: 10, max: 60_000 },
];

const KNOWN_FIELDS: readonly string[] = [
	'name',
	'device_uid',
	'device_type',
	'connection.template',
	...[UNIT, ...TIMING].map(({ name }) => name),
	...['host', 'port', 'path', 'baud_rate', 'parity', 'data_bits', 'stop_bits'].map((name) => `${LINE}.${name}`),
	...TCP_MORE,
	...Array.from({ length: MOST_OPTIONS }, (_, index) => optionField(index)),
];

const KINDS: readonly Kind[] = ['tcp', 'rtu', 'ascii', 'rtu-over-tcp', 'ascii-over-tcp', 'mqtt'];

/** A new device: empty, or as a scan found it. */
export function AddDevicePage() {
	const { place } = useServices();
	const { unit } = useFound(place.value.id);
	return unit.value === undefined ? <p class="quiet">{t('app.loading')}</p> : <AddDevice found={unit.value} />;
}

const firstWord = ({ identification }: FoundUnitView): string =>
	identification.sunspec === null
		? ''
		: `${identification.sunspec.manufacturer} ${identification.sunspec.model}`.trim();

function AddDevice({ found }: { readonly found: FoundUnitView | null }) {
	const { api, me } = useServices();
	const form = useForm(KNOWN_FIELDS);
	const element = useRef<HTMLFormElement>(null);
	const kind = useSignal<Kind>(found?.line.transport ?? 'tcp');
	const chosen = useSignal(found?.candidates[0]?.template ?? '');
	const draft = useSignal<string | null>(null);
	const templates = usePoll<readonly TemplateView[]>('/api/v1/templates', TEMPLATES_PERIOD_MS);
	const list = templates.data.value ?? [];
	const template = list.find(({ key }) => key === chosen.value);

	const look = (): void => {
		const current = element.current;
		draft.value = current === null ? null : draftOf(kind.value, template, readForm(current));
	};
	// Fields of another kind or template are there only after it was drawn.
	useEffect(look, [kind.value, template]);

	function submit(of: HTMLFormElement): void {
		const body = deviceBody(kind.value, template, readForm(of));
		void form.send(async () => {
			const device = await api.post<DeviceView>('/api/v1/devices', body);
			go('devices', device.id);
		});
	}

	const transport = kind.value === 'mqtt' ? null : kind.value;
	return (
		<form
			ref={element}
			class="card form-wide"
			// The server's sentences name the rule and the value; the browser's own bubbles would come first and say less.
			noValidate
			onInput={look}
			onSubmit={(event) => {
				event.preventDefault();
				submit(event.currentTarget);
			}}
		>
			<h1>{tf('add.title')}</h1>
			{found !== null && <p class="quiet">{tf('add.fromScan')}</p>}
			<FormProblem form={form} />
			<KindChoice kind={kind.value} onChoose={(picked) => (kind.value = picked)} />
			<div class="fields">
				<TextField
					form={form}
					name="name"
					label={tf('add.name')}
					autocomplete="off"
					focus
					{...(found !== null && { value: firstWord(found) })}
				/>
				<TextField form={form} name="device_uid" label={tf('add.uid')} hint={tf('add.uidHint')} autocomplete="off" />
				<TextField form={form} name="device_type" label={tf('add.type')} value="meter" autocomplete="off" />
			</div>
			{transport === null ? (
				<p class="hint">{tf('add.mqttHint')}</p>
			) : (
				<>
					<PlaceFields form={form} transport={transport} found={found} />
					<div class="fields">
						<TemplateFields
							form={form}
							templates={list}
							chosen={chosen.value}
							onChoose={(key) => (chosen.value = key)}
							problem={templates.error.value}
						/>
					</div>
					{me.may('templates:write') && (
						<SunspecReader
							form={form}
							target={() => targetOf(transport, element.current)}
							onTemplate={(key) => {
								chosen.value = key;
								templates.reload();
							}}
						/>
					)}
					<div class="fields">
						{TIMING.map((field) => (
							<Numeric key={field.name} form={form} field={field} />
						))}
					</div>
					<BudgetPreview draft={draft.value} />
				</>
			)}
			<div class="actions">
				<button class="primary" disabled={form.busy.value}>
					{tf('add.submit')}
				</button>
				<a class="button" href={link('devices')}>
					{tf('add.cancel')}
				</a>
			</div>
		</form>
	);
}

interface PlaceFieldsProps {
	readonly form: FormState;
	readonly transport: ModbusTransport;
	readonly found: FoundUnitView | null;
}

/** Line and unit, with what a scan knows of them. */
function PlaceFields({ form, transport, found }: PlaceFieldsProps) {
	const preset = transport === found?.line.transport ? found.line : null;
	return (
		<>
			<div class="fields">
				<LineFields key={transport} form={form} transport={transport} preset={preset} />
				<Numeric form={form} field={UNIT} {...(found !== null && { value: found.unit_id })} />
			</div>
			{transport === 'tcp' && <TcpMore form={form} preset={preset} />}
		</>
	);
}

/** What the line is asked for a device that is not saved; `null` while something is missing or cannot be. */
function draftOf(kind: Kind, template: TemplateView | undefined, field: (name: string) => string): string | null {
	const port = Number(field(`${LINE}.port`));
	const isPort = Number.isInteger(port) && port >= 1 && port <= 65_535;
	const isPlace = field(`${LINE}.path`).startsWith('/') || (/^[\w.-]+$/.test(field(`${LINE}.host`)) && isPort);
	const period = Number(field('connection.period_ms'));
	if (kind === 'mqtt' || template === undefined || !isPlace || period < 50) return null;
	const name = field('name').trim();
	return JSON.stringify({ ...(name !== '' && { name }), connection: connectionBody(kind, template, field) });
}

function targetOf(transport: ModbusTransport, element: HTMLFormElement | null): Readonly<Record<string, unknown>> {
	if (element === null) return {};
	const field = readForm(element);
	return { line: lineBody(transport, field), unit_id: Number(field(UNIT.name)) };
}

interface NumericProps {
	readonly form: FormState;
	readonly field: NumberField;
	readonly value?: number;
}

function Numeric({ form, field, value }: NumericProps) {
	const { name, label, preset, min, max } = field;
	return (
		<TextField form={form} name={name} type="number" label={tf(label)} value={value ?? preset} min={min} max={max} />
	);
}

function KindChoice({ kind, onChoose }: { readonly kind: Kind; readonly onChoose: (kind: Kind) => void }) {
	return (
		<fieldset class="choice">
			<legend>{tf('add.kind')}</legend>
			{KINDS.map((each) => (
				<label key={each}>
					<input type="radio" name="kind" value={each} checked={each === kind} onChange={() => onChoose(each)} />
					<span>{tf(`add.${each}`)}</span>
				</label>
			))}
		</fieldset>
	);
}
