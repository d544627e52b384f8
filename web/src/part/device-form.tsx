import { type Signal, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import { go, link } from '../router.ts';
import {
	type Kind,
	LINE,
	type Transport,
	connectionBody,
	deviceBody,
	isStream,
	lineBody,
	optionField,
} from '../state/device-body.ts';
import type { DevicePreset } from '../state/device-preset.ts';
import { type FormState, useForm } from '../state/form.ts';
import { MOST_OVERRIDES, OVERRIDES, fieldsOfOverride } from '../state/override-body.ts';
import { type Polled, usePoll } from '../state/poll.ts';
import type { Body, ReadField } from '../state/read-field.ts';
import { useServices } from '../state/services.ts';
import { tf } from '../text-field.ts';
import type { TemplateView } from '../wire-field.ts';
import type { DeviceView } from '../wire.ts';
import { BudgetPreview } from './budget-preview.tsx';
import { FormProblem, TextField, readForm } from './field.tsx';
import { KindChoice } from './kind-choice.tsx';
import { TCP_MORE } from './line-fields.tsx';
import { OverrideFields } from './override-fields.tsx';
import { PlaceFields, REACH_FIELDS, TimingFields } from './reach-fields.tsx';
import { SunspecReader } from './sunspec-reader.tsx';
import { TemplateFields } from './template-fields.tsx';
import { TUNING_FIELDS, TuningFields } from './tuning-fields.tsx';

const TEMPLATES_PERIOD_MS = 60_000;
/** Options of a template that the form can show. */
const MOST_OPTIONS = 50;

const KNOWN_FIELDS: readonly string[] = [
	'name',
	'device_uid',
	'device_type',
	'connection.template',
	...REACH_FIELDS,
	...['host', 'port', 'path', 'baud_rate', 'parity', 'data_bits', 'stop_bits'].map((name) => `${LINE}.${name}`),
	...TCP_MORE,
	...TUNING_FIELDS,
	...Array.from({ length: MOST_OPTIONS }, (_, index) => optionField(index)),
	...Array.from({ length: MOST_OVERRIDES }, (_, index) => fieldsOfOverride(index)).flat(),
];

interface DeviceFormProps {
	readonly preset: DevicePreset;
	/** The device that is changed; `null`: it is a new one. */
	readonly device: DeviceView | null;
	readonly title: string;
	readonly submit: string;
	readonly save: (body: Body) => Promise<DeviceView>;
	/** Where the values come from. */
	readonly children?: ComponentChildren;
}

/** What a device is and how it is reached: of a new one, and of one that is there. */
export function DeviceForm({ preset, device, title, submit, save, children }: DeviceFormProps) {
	const form = useForm(KNOWN_FIELDS);
	const element = useRef<HTMLFormElement>(null);
	const kind = useSignal<Kind>(preset.kind);
	const chosen = useSignal(preset.connection?.template ?? '');
	const draft = useSignal<string | null>(null);
	const templates = usePoll<readonly TemplateView[]>('/api/v1/templates', TEMPLATES_PERIOD_MS);
	const template = templatesFor(kind.value, templates.data.value).find(({ key }) => key === chosen.value);

	const look = (): void => {
		const current = element.current;
		draft.value = current === null ? null : draftOf(kind.value, template, readForm(current), device);
	};
	// Fields of another kind or template are there only after it was drawn.
	useEffect(look, [kind.value, template]);

	const mistakes = form.fields.value;
	// A mistake may be far from the button, and in a fold.
	useEffect(() => element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), [mistakes]);

	function choose(picked: Kind): void {
		// No template is of both sorts.
		if (isStream(picked) !== isStream(kind.value)) chosen.value = '';
		kind.value = picked;
	}

	function send(of: HTMLFormElement): void {
		const { connection, ...body } = deviceBody(kind.value, template, readForm(of));
		// A device without a connection is shown as one that comes over MQTT, and stays without.
		const isNone = kind.value === 'mqtt' && device !== null && (device.connection ?? null) === null;
		void form.send(async () => {
			const { id } = await save(isNone ? body : { ...body, connection });
			go('devices', id);
		});
	}

	return (
		<form
			ref={element}
			class="card form-wide"
			// The server's sentences name the rule and the value; the browser's own bubbles would come first and say less.
			noValidate
			onInput={look}
			onSubmit={(event) => {
				event.preventDefault();
				send(event.currentTarget);
			}}
		>
			<h1>{title}</h1>
			{children}
			<FormProblem form={form} />
			<KindChoice kind={kind.value} onChoose={choose} />
			<NameFields form={form} preset={preset} isNew={device === null} />
			<Reach
				form={form}
				kind={kind.value}
				preset={preset}
				templates={templates}
				chosen={chosen}
				read={() => (element.current === null ? null : readForm(element.current))}
				onChange={look}
			/>
			<BudgetPreview draft={draft.value} />
			<div class="actions">
				<button class="primary" disabled={form.busy.value}>
					{submit}
				</button>
				<a class="button" href={device === null ? link('devices') : link('devices', device.id)}>
					{tf('add.cancel')}
				</a>
			</div>
		</form>
	);
}

/** Whether a template is of devices that are serial and not Modbus. */
const isOfStream = ({ transports = [] }: TemplateView): boolean =>
	transports.includes('serial') || transports.includes('socket');

const templatesFor = (kind: Kind, all: readonly TemplateView[] | null): readonly TemplateView[] =>
	(all ?? []).filter((template) => isStream(kind) === isOfStream(template));

interface ReachProps {
	readonly form: FormState;
	readonly kind: Kind;
	readonly preset: DevicePreset;
	readonly templates: Polled<readonly TemplateView[]>;
	/** Key of the chosen template; '' is none. */
	readonly chosen: Signal<string>;
	/** The form as it is; `null`: it is not drawn. */
	readonly read: () => ReadField | null;
	readonly onChange: () => void;
}

/** How it is reached, and what is read there. */
function Reach({ form, kind, preset: { connection }, templates, chosen, read, onChange }: ReachProps) {
	if (kind === 'mqtt') return <p class="hint">{tf('add.mqttHint')}</p>;
	const list = templatesFor(kind, templates.data.value);
	const template = list.find(({ key }) => key === chosen.value);
	return (
		<>
			<PlaceFields
				form={form}
				transport={kind}
				preset={connection}
				usualRate={template?.comm_defaults?.baud_rate ?? null}
			/>
			<div class="fields">
				<TemplateFields
					form={form}
					templates={list}
					chosen={chosen.value}
					onChoose={(key) => (chosen.value = key)}
					problem={templates.error.value}
					preset={connection}
				/>
			</div>
			<Sunspec
				form={form}
				transport={kind}
				read={read}
				onTemplate={(key) => {
					chosen.value = key;
					templates.reload();
				}}
			/>
			<TimingFields form={form} transport={kind} preset={connection} />
			{!isStream(kind) && <TuningFields form={form} preset={connection?.tuning} />}
			<OverrideFields
				key={chosen.value}
				form={form}
				template={chosen.value}
				preset={(chosen.value === connection?.template && connection.overrides) || []}
				hasClasses={!isStream(kind)}
				onChange={onChange}
			/>
		</>
	);
}

interface NameFieldsProps {
	readonly form: FormState;
	readonly preset: DevicePreset;
	/** The UID of a device that is there stays. */
	readonly isNew: boolean;
}

function NameFields({ form, preset, isNew }: NameFieldsProps) {
	return (
		<div class="fields">
			<TextField form={form} name="name" label={tf('add.name')} autocomplete="off" focus={isNew} value={preset.name} />
			{isNew && (
				<TextField form={form} name="device_uid" label={tf('add.uid')} hint={tf('add.uidHint')} autocomplete="off" />
			)}
			<TextField form={form} name="device_type" label={tf('add.type')} value={preset.deviceType} autocomplete="off" />
		</div>
	);
}

interface SunspecProps {
	readonly form: FormState;
	readonly transport: Transport;
	readonly read: ReachProps['read'];
	readonly onTemplate: (key: string) => void;
}

function Sunspec({ form, transport, read, onTemplate }: SunspecProps) {
	const { me } = useServices();
	if (isStream(transport) || !me.may('templates:write')) return null;

	function target(): Body {
		const field = read();
		return field === null ? {} : { line: lineBody(transport, field), unit_id: Number(field('connection.unit_id')) };
	}

	return <SunspecReader form={form} target={target} onTemplate={onTemplate} />;
}

/** Whether the form says enough of a place to ask about its line. */
function isPlace(field: ReadField): boolean {
	const port = Number(field(`${LINE}.port`));
	const isPort = Number.isInteger(port) && port >= 1 && port <= 65_535;
	return field(`${LINE}.path`).startsWith('/') || (/^[\w.-]+$/.test(field(`${LINE}.host`)) && isPort);
}

/** What the line is asked for a device that is not saved; `null` while something is missing or cannot be. */
function draftOf(
	kind: Kind,
	template: TemplateView | undefined,
	field: ReadField,
	device: DeviceView | null,
): string | null {
	const isAsked = Number(field('connection.period_ms')) >= 50 && isWhole(field);
	// Only Modbus devices share a line.
	if (kind === 'mqtt' || isStream(kind) || template === undefined || !isPlace(field) || !isAsked) return null;
	const name = field('name').trim();
	return JSON.stringify({
		...(device !== null && { device_id: device.id }),
		...(name !== '' && { name }),
		connection: connectionBody(kind, template, field),
	});
}

/** Whether each row of the points says which point it is about. */
const isWhole = (field: ReadField): boolean =>
	Array.from({ length: Number(field(OVERRIDES)) }, (_, index) => field(`${OVERRIDES}.${index}.point`)).every(
		(point) => point !== '',
	);
