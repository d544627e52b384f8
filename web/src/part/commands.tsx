import { useSignal } from '@preact/signals';

import { useForm } from '../state/form.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { CommandView, DeviceView } from '../wire.ts';
import { Age } from './age.tsx';
import type { Column } from './columns.tsx';
import { FormDialog } from './dialog.tsx';
import { TextField } from './field.tsx';
import type { IconName } from './icon.tsx';
import { PolledColumns } from './list.tsx';
import { Status, type Tone } from './status.tsx';

const PERIOD_MS = 3_000;

const LOOK: Readonly<Record<CommandView['status'], { readonly tone: Tone; readonly icon: IconName }>> = {
	pending: { tone: 'idle', icon: 'wait' },
	sent: { tone: 'warn', icon: 'wait' },
	executed: { tone: 'ok', icon: 'ok' },
	failed: { tone: 'bad', icon: 'offline' },
};

/** The answer of a device, without what is shown beside it. */
function answerOf({ result }: CommandView): string | null {
	const entries = Object.entries(result ?? {}).filter(([name]) => name !== 'command_id' && name !== 'status');
	return entries.length === 0 ? null : JSON.stringify(Object.fromEntries(entries));
}

const COLUMNS: readonly Column<CommandView>[] = [
	{
		title: 'commands.command',
		cell: ({ command_name, payload }) => (
			<>
				<strong>{command_name}</strong>
				<small class="id">{JSON.stringify(payload)}</small>
			</>
		),
	},
	{
		title: 'users.state',
		cell: (command) => (
			<>
				<Status {...LOOK[command.status]}>{t(`commands.${command.status}`)}</Status>
				<small class="reason">{command.error}</small>
				<small class="id">{answerOf(command)}</small>
			</>
		),
	},
	{
		title: 'commands.when',
		cell: ({ created_at }) => <Age atMs={Date.parse(created_at)} />,
	},
];

/** What the device was told to do, and what became of it. */
export function Commands({ device }: { readonly device: DeviceView }) {
	const { me } = useServices();
	const path = `/api/v1/devices/${encodeURIComponent(device.id)}/commands`;
	const list = usePoll<readonly CommandView[]>(`${path}?limit=10`, PERIOD_MS);
	const isSending = useSignal(false);
	const isOwner = me.user.value !== null && device.owner_id === me.user.value.id;
	return (
		<section>
			<div class="title-row section-title">
				<h2>{t('commands.title')}</h2>
				<span class="spring" />
				{(isOwner || me.may('devices:command')) && (
					<button type="button" onClick={() => (isSending.value = true)}>
						{t('commands.send')}
					</button>
				)}
			</div>
			<PolledColumns list={list} columns={COLUMNS} rowKey={({ id }) => id} empty={t('commands.empty')} />
			{isSending.value && (
				<SendDialog
					device={device}
					path={path}
					onClose={() => {
						isSending.value = false;
						list.reload();
					}}
				/>
			)}
		</section>
	);
}

interface SendDialogProps {
	readonly device: DeviceView;
	readonly path: string;
	readonly onClose: () => void;
}

/** A text that is a number, true or false is sent as such. */
function valueOf(text: string): unknown {
	const trimmed = text.trim();
	if (trimmed === 'true' || trimmed === 'false') return trimmed === 'true';
	return trimmed !== '' && Number.isFinite(Number(trimmed)) ? Number(trimmed) : trimmed;
}

/** A register is written by point and value; everything else takes a name and a JSON object. */
function SendDialog({ device, path, onClose }: SendDialogProps) {
	const { api } = useServices();
	const isModbus = device.connection?.driver === 'modbus';
	const form = useForm(isModbus ? ['payload.point', 'payload.value'] : ['command_name', 'payload']);

	async function write(field: (name: string) => string): Promise<void> {
		const payload = { point: field('payload.point').trim(), value: valueOf(field('payload.value')) };
		await api.post(path, { command_name: 'write', payload });
	}

	async function command(field: (name: string) => string): Promise<void> {
		const text = field('payload').trim();
		let payload: unknown;
		try {
			payload = text === '' ? {} : JSON.parse(text);
		} catch {
			// The server says the same of a text: it names the field.
			payload = text;
		}
		await api.post(path, { command_name: field('command_name').trim(), payload });
	}

	return (
		<FormDialog
			title={t('commands.sendTo', { name: device.name })}
			form={form}
			submit={t('commands.send')}
			onClose={onClose}
			onSend={isModbus ? write : command}
		>
			{isModbus ? (
				<>
					<TextField form={form} name="payload.point" label={t('commands.point')} required focus />
					<TextField form={form} name="payload.value" label={t('commands.value')} required />
				</>
			) : (
				<>
					<TextField
						form={form}
						name="command_name"
						label={t('commands.name')}
						hint={t('commands.nameHint')}
						required
						focus
					/>
					<TextField form={form} name="payload" label={t('commands.payload')} hint={t('commands.payloadHint')} />
				</>
			)}
		</FormDialog>
	);
}
