import { useSignal } from '@preact/signals';

import type { Api } from '../api.ts';
import { formatBytes, formatCount } from '../format.ts';
import { useForm } from '../state/form.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { BundleUploadView } from '../wire.ts';
import { Facts } from './facts.tsx';
import { FormProblem } from './field.tsx';
import { Modal } from './modal.tsx';
import { SecretRow } from './once.tsx';

/** A part that did not get through is sent again so many times: the line of a phone comes and goes. */
const MOST_TRIES = 5;
const RETRY_MS = 1_000;
const WATCH_MS = 500;

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

async function sendPart(api: Api, path: string, bytes: Blob, tries = 1): Promise<void> {
	try {
		await api.putBytes(path, bytes);
	} catch (error) {
		// What the server refused, it refuses again.
		if (!(error instanceof TypeError) || tries >= MOST_TRIES) throw error;
		await pause(RETRY_MS * tries);
		await sendPart(api, path, bytes, tries + 1);
	}
}

async function carry(api: Api, file: File, progress: (sentBytes: number) => void): Promise<BundleUploadView> {
	const { id, max_part_bytes: size } = await api.post<BundleUploadView>('/api/v1/gateways/bundles', {});
	const path = `/api/v1/gateways/bundles/${id}`;
	for (let at = 0; at < file.size; at += size) {
		await sendPart(api, `${path}/parts/${at}`, file.slice(at, at + size));
		progress(Math.min(file.size, at + size));
	}
	let upload = await api.post<BundleUploadView>(`${path}/import`, {});
	while (upload.state === 'importing') {
		await pause(WATCH_MS);
		upload = await api.get<BundleUploadView>(path);
	}
	return upload;
}

/** Takes in what a gateway without a network has sent by hand: a button, and its dialog. */
export function ImportBundle({ onDone }: { readonly onDone: () => void }) {
	const { me } = useServices();
	const isOpen = useSignal(false);
	if (!me.may('gateways:configure')) return null;
	return (
		<>
			<button type="button" onClick={() => (isOpen.value = true)}>
				{t('import.open')}
			</button>
			{isOpen.value && (
				<ImportDialog
					onClose={() => {
						isOpen.value = false;
						onDone();
					}}
				/>
			)}
		</>
	);
}

function ImportDialog({ onClose }: { readonly onClose: () => void }) {
	const { api } = useServices();
	const form = useForm([]);
	const file = useSignal<File | null>(null);
	const sent = useSignal(0);
	const outcome = useSignal<BundleUploadView | null>(null);
	return (
		<Modal title={t('import.title')} onClose={onClose}>
			{(close) => (
				<form
					onSubmit={(event) => {
						event.preventDefault();
						const chosen = file.value;
						if (chosen === null) return;
						outcome.value = null;
						void form.send(async () => {
							outcome.value = await carry(api, chosen, (bytes) => (sent.value = bytes));
						});
					}}
				>
					<p>{t('import.lead')}</p>
					<FormProblem form={form} />
					<div class="field">
						<label for="import-file">{t('import.file')}</label>
						<input
							id="import-file"
							type="file"
							accept=".bundle"
							required
							onChange={({ currentTarget }) => {
								file.value = currentTarget.files?.[0] ?? null;
								sent.value = 0;
								outcome.value = null;
							}}
						/>
					</div>
					{form.busy.value && file.value !== null && (
						<p role="status">
							<progress max={file.value.size} value={sent.value} aria-label={t('import.title')} />{' '}
							{t('import.sent', { sent: formatBytes(sent.value), size: formatBytes(file.value.size) })}
						</p>
					)}
					{outcome.value !== null && <Outcome upload={outcome.value} />}
					<div class="actions">
						<button class="primary" disabled={form.busy.value || file.value === null}>
							{t('import.submit')}
						</button>
						<button type="button" onClick={close}>
							{t('import.close')}
						</button>
					</div>
				</form>
			)}
		</Modal>
	);
}

function Outcome({ upload: { state, reason, result } }: { readonly upload: BundleUploadView }) {
	if (result === null)
		return (
			<p class="mistake" role="alert">
				{t(state === 'refused' ? 'import.refused' : 'import.again', { reason: reason ?? '' })}
			</p>
		);
	return (
		<div role="status">
			<Facts
				entries={[
					{ name: t('import.gateway'), value: <span class="id">{result.gateway_id}</span> },
					{ name: t('import.stored'), value: formatCount(result.stored_samples) },
					{ name: t('import.duplicates'), value: formatCount(result.duplicate_samples) },
					{ name: t('import.refusedSamples'), value: formatCount(result.refused_samples) },
				]}
			/>
			{!result.is_complete && <p class="warn-text">{t('import.more')}</p>}
			<p>{t('import.receiptLead')}</p>
			<SecretRow label={t('import.receipt')} value={result.receipt} />
		</div>
	);
}
