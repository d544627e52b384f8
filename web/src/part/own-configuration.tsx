import { useSignal } from '@preact/signals';

import { formatTime } from '../format.ts';
import { useForm } from '../state/form.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { ConfigurationView } from '../wire-configuration.ts';
import type { UplinkView } from '../wire.ts';
import { FormDialog } from './dialog.tsx';
import { Facts } from './facts.tsx';
import { OutcomeFacts, PatchList } from './patch.tsx';

const PERIOD_MS = 5_000;

/** What this gateway runs, and how that differs from what its hub wants; for whoever may change it, where there is a hub. */
export function OwnConfiguration({ uplink }: { readonly uplink: UplinkView | null }) {
	const { me } = useServices();
	return uplink?.enrolled === true && me.may('gateways:configure') ? <Card /> : null;
}

function Card() {
	const { data, reload } = usePoll<ConfigurationView>('/api/v1/configuration', PERIOD_MS);
	const isRollingBack = useSignal(false);
	const configuration = data.value;
	if (configuration === null) return null;
	const { revision, drift, trial, last } = configuration;
	const canGoBack = trial !== null || configuration.previous_revision !== null;
	return (
		<section class="card">
			<div class="title-row">
				<h2>{t('config.title')}</h2>
				<span class="spring" />
				{canGoBack && (
					<button type="button" onClick={() => (isRollingBack.value = true)}>
						{t('config.rollBack')}
					</button>
				)}
			</div>
			<Facts
				entries={[
					{
						name: t('config.runs'),
						value: revision === 0 ? t('config.noneOfHub') : t('config.revision', { n: revision }),
					},
					...(trial === null ? [] : [{ name: t('config.trialUntil'), value: formatTime(trial.until) }]),
					{
						name: t('config.driftCount'),
						value: drift.length === 0 ? t('config.driftNone') : t('config.driftSome', { n: drift.length }),
					},
					...(configuration.restart_needed.length === 0
						? []
						: [{ name: t('config.restart'), value: configuration.restart_needed.join(', ') }]),
				]}
			/>
			{last !== null && last.outcome !== 'applied' && <OutcomeFacts outcome={last} />}
			{drift.length > 0 && <PatchList patch={drift} />}
			{isRollingBack.value && (
				<RollBack
					path="/api/v1/configuration/rollback"
					onClose={() => {
						isRollingBack.value = false;
						reload();
					}}
				/>
			)}
		</section>
	);
}

/** @param path of the call that takes the present revision back */
export function RollBack({ path, onClose }: { readonly path: string; readonly onClose: () => void }) {
	const { api } = useServices();
	const form = useForm([]);
	return (
		<FormDialog
			title={t('config.rollBackTitle')}
			form={form}
			submit={t('config.rollBack')}
			danger
			onClose={onClose}
			onSend={async () => void (await api.post(path))}
		>
			<p>{t('config.rollBackLead')}</p>
		</FormDialog>
	);
}
