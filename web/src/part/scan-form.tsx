import { useSignal } from '@preact/signals';

import { go } from '../router.ts';
import { type FormState, useForm } from '../state/form.ts';
import { Mistyped } from '../state/mistyped.ts';
import { numbersOf, unitsOf } from '../state/number-list.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { tf } from '../text-field.ts';
import type { PortView, ScanSummaryView } from '../wire-field.ts';
import { Answer } from './answer.tsx';
import { TextField } from './field.tsx';
import { FormCard } from './form-card.tsx';
import { MoreFields } from './more-fields.tsx';
import { portName, portUse } from './port-name.ts';

const PORTS_PERIOD_MS = 3_000;
const KINDS = ['serial', 'tcp'] as const;
type Kind = (typeof KINDS)[number];
type Body = Readonly<Record<string, unknown>>;

const PARITIES = ['none', 'even', 'odd'] as const;
const SHOWN = ['baud_rates', 'unit_ids', 'timeout_ms', 'subnets', 'ports', 'paths', 'pause_polling'] as const;

/** Numbers of a text; `null`: it is something else. */
type ReadList = (text: string) => readonly number[] | null;

/** @throws Mistyped */
function listIn(data: FormData, field: string, read: ReadList, sentence: string): Body {
	const list = read(textIn(data, field));
	if (list === null) throw new Mistyped(field, sentence);
	return list.length === 0 ? {} : { [field]: list };
}

function textIn(data: FormData, field: string): string {
	const text = data.get(field);
	return typeof text === 'string' ? text.trim() : '';
}

const timeoutIn = (data: FormData): Body => {
	const text = textIn(data, 'timeout_ms');
	return text === '' ? {} : { timeout_ms: Number(text) };
};

const chosenIn = (data: FormData, field: string): readonly string[] =>
	data.getAll(field).filter((each): each is string => typeof each === 'string');

/** The request of each kind. @throws Mistyped */
const BODIES: Readonly<Record<Kind, (data: FormData) => Body>> = {
	serial(data) {
		const typed = textIn(data, 'other_paths').split(/[\s,;]+/);
		const paths = [...new Set([...chosenIn(data, 'paths'), ...typed])].filter((path) => path !== '');
		if (paths.length === 0) throw new Mistyped('paths', tf('scan.chooseOne'));
		return {
			kind: 'serial',
			transport: textIn(data, 'transport'),
			paths,
			...listIn(data, 'baud_rates', numbersOf, tf('scan.numbersBad')),
			...listIn(data, 'unit_ids', unitsOf, tf('scan.unitsBad')),
			parities: chosenIn(data, 'parities'),
			stop_bits: chosenIn(data, 'stop_bits').map(Number),
			...timeoutIn(data),
			exhaustive: data.has('exhaustive'),
			pause_polling: data.has('pause_polling'),
		};
	},
	tcp(data) {
		const subnets = textIn(data, 'subnets')
			.split(/[\s,;]+/)
			.filter((part) => part !== '');
		return {
			kind: 'tcp',
			...(subnets.length > 0 && { subnets }),
			...listIn(data, 'ports', numbersOf, tf('scan.numbersBad')),
			...listIn(data, 'unit_ids', unitsOf, tf('scan.unitsBad')),
			...timeoutIn(data),
		};
	},
};

/** Where to look, and how. */
export function ScanForm() {
	const { api } = useServices();
	const form = useForm(SHOWN);
	const kind = useSignal<Kind>('serial');

	/** @throws Mistyped */
	async function submit(element: HTMLFormElement): Promise<void> {
		const body = BODIES[kind.value](new FormData(element));
		await form.send(async () => {
			const scan = await api.post<ScanSummaryView>('/api/v1/scans', body);
			go('scan', scan.id);
		});
	}

	return (
		<FormCard form={form} head={<p class="quiet">{tf('scan.lead')}</p>} submit={tf('scan.start')} onSubmit={submit}>
			<fieldset class="choice">
				<legend>{tf('scan.where')}</legend>
				{KINDS.map((each) => (
					<label key={each}>
						<input type="radio" name="kind" checked={each === kind.value} onChange={() => (kind.value = each)} />
						<span>{tf(`scan.${each}`)}</span>
					</label>
				))}
			</fieldset>
			{kind.value === 'serial' ? <SerialPart form={form} /> : <TcpPart form={form} />}
		</FormCard>
	);
}

function Ticks({ name, legend, values, ticked }: TicksProps) {
	return (
		<fieldset class="choice">
			<legend>{legend}</legend>
			{values.map((value) => (
				<label key={value}>
					<input type="checkbox" name={name} value={value} defaultChecked={ticked.includes(value)} />
					<span>{value}</span>
				</label>
			))}
		</fieldset>
	);
}

interface TicksProps {
	readonly name: string;
	readonly legend: string;
	readonly values: readonly string[];
	readonly ticked: readonly string[];
}

interface PartProps {
	readonly form: FormState;
}

function SerialPart({ form }: PartProps) {
	const ports = usePoll<readonly PortView[]>('/api/v1/ports', PORTS_PERIOD_MS);
	return (
		<>
			<Answer of={ports}>{(list) => <PortTicks form={form} ports={list} />}</Answer>
			<fieldset class="choice">
				<legend>{tf('scan.framing')}</legend>
				{(['rtu', 'ascii'] as const).map((each) => (
					<label key={each}>
						<input type="radio" name="transport" value={each} defaultChecked={each === 'rtu'} />
						<span>{tf(`scan.${each}`)}</span>
					</label>
				))}
			</fieldset>
			<label class="tick">
				<input type="checkbox" name="pause_polling" aria-invalid={form.fields.value['pause_polling'] !== undefined} />
				<span>
					{tf('scan.pause')}
					<small>{tf('scan.pauseHint')}</small>
				</span>
			</label>
			<FieldMistake form={form} name="pause_polling" />
			<MoreFields form={form} names={['other_paths', 'baud_rates', 'unit_ids', 'timeout_ms']} title={tf('scan.more')}>
				<div class="fields">
					<TextField
						form={form}
						name="other_paths"
						label={tf('scan.otherPaths')}
						hint={tf('scan.otherPathsHint')}
						autocomplete="off"
					/>
					<TextField form={form} name="baud_rates" label={tf('scan.rates')} hint={tf('scan.ratesHint')} />
					<TextField form={form} name="unit_ids" label={tf('scan.units')} hint={tf('scan.unitsHint')} />
					<TextField form={form} name="timeout_ms" type="number" label={tf('scan.timeout')} value={300} min={20} />
				</div>
				<Ticks name="parities" legend={tf('scan.parities')} values={PARITIES} ticked={['none', 'even']} />
				<Ticks name="stop_bits" legend={tf('scan.stopBits')} values={['1', '2']} ticked={['1']} />
				<label class="tick">
					<input type="checkbox" name="exhaustive" />
					<span>{tf('scan.exhaustive')}</span>
				</label>
			</MoreFields>
		</>
	);
}

/** What was refused of a field that has no note of its own; members of a list count to it. */
function FieldMistake({ form, name }: PartProps & { readonly name: string }) {
	const found = Object.entries(form.fields.value).find(([field]) => field === name || field.startsWith(`${name}.`));
	return found === undefined ? null : (
		<p class="mistake" role="alert">
			{found[1]}
		</p>
	);
}

function PortTicks({ form, ports }: PartProps & { readonly ports: readonly PortView[] }) {
	return (
		<fieldset class="ports">
			<legend>{tf('scan.ports')}</legend>
			{ports.length === 0 && <p class="quiet">{tf('scan.noPorts')}</p>}
			{ports.map((port) => (
				<label class="tick" key={port.path}>
					<input type="checkbox" name="paths" value={port.path} defaultChecked={ports.length === 1} />
					<span>
						<strong>{portName(port)}</strong>
						<small class="id">{port.path}</small>
						<small>{portUse(port)}</small>
					</span>
				</label>
			))}
			<FieldMistake form={form} name="paths" />
		</fieldset>
	);
}

function TcpPart({ form }: PartProps) {
	return (
		<div class="fields">
			<TextField form={form} name="subnets" label={tf('scan.subnets')} hint={tf('scan.subnetsHint')} />
			<TextField form={form} name="ports" label={tf('scan.tcpPorts')} value="502" />
			<TextField form={form} name="unit_ids" label={tf('scan.units')} hint={tf('scan.unitsHintTcp')} />
			<TextField form={form} name="timeout_ms" type="number" label={tf('scan.timeout')} value={500} min={20} />
		</div>
	);
}
