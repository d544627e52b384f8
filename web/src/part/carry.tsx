import { useSignal } from '@preact/signals';

import { formatCount } from '../format.ts';
import { useForm } from '../state/form.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { UplinkView } from '../wire.ts';
import { FormProblem, TextField, readForm } from './field.tsx';
import { saveFile } from './save-file.ts';

/** Sizes of a bundle that are offered, MiB: what a phone takes, and what a stick does. */
const SIZES = [16, 64, 256, 1_024] as const;

/** The way to the hub without a network: out with a bundle, back with a receipt. */
export function CarryCard({ uplink }: { readonly uplink: UplinkView | null }) {
	const { api, me } = useServices();
	const form = useForm([]);
	const receipt = useForm(['receipt']);
	const taken = useSignal<number | null>(null);
	if (uplink?.enrolled !== true || !me.may('gateways:configure')) return null;
	return (
		<section class="card narrow">
			<h2>{t('carry.title')}</h2>
			<p>{t('carry.lead')}</p>
			<form
				onSubmit={(event) => {
					event.preventDefault();
					const size = readForm(event.currentTarget)('max_mib');
					void form.send(async () =>
						saveFile(
							await api.file(`/api/v1/uplink/bundle?max_mib=${size}`),
							`${uplink.gateway_id ?? 'gateway'}-${Date.now()}.bundle`,
						),
					);
				}}
			>
				<FormProblem form={form} />
				<div class="field">
					<label for="carry-size">{t('carry.size')}</label>
					<select id="carry-size" name="max_mib">
						{SIZES.map((size) => (
							<option key={size} value={size} selected={size === 64}>
								{t('carry.mib', { size })}
							</option>
						))}
					</select>
				</div>
				<button class="primary" disabled={form.busy.value}>
					{form.busy.value ? t('carry.working') : t('carry.export')}
				</button>
			</form>
			<form
				onSubmit={(event) => {
					event.preventDefault();
					const text = readForm(event.currentTarget)('receipt').trim();
					void receipt.send(async () => {
						const answer = await api.post<{ readonly acknowledged_samples: number }>('/api/v1/uplink/receipts', {
							receipt: text,
						});
						taken.value = answer.acknowledged_samples;
					});
				}}
			>
				<FormProblem form={receipt} />
				<TextField form={receipt} name="receipt" label={t('carry.receipt')} hint={t('carry.receiptHint')} required />
				<button disabled={receipt.busy.value}>{t('carry.takeReceipt')}</button>
				{taken.value !== null && <p role="status">{t('carry.taken', { count: formatCount(taken.value) })}</p>}
			</form>
		</section>
	);
}
