import { useSignal } from '@preact/signals';

import { Age } from '../part/age.tsx';
import { Answer } from '../part/answer.tsx';
import { CarryCard } from '../part/carry.tsx';
import { OwnClock } from '../part/clock.tsx';
import { FormDialog } from '../part/dialog.tsx';
import { Facts } from '../part/facts.tsx';
import { FormProblem, TextField, readForm } from '../part/field.tsx';
import type { IconName } from '../part/icon.tsx';
import { LedgerCard } from '../part/ledger.tsx';
import { OwnConfiguration } from '../part/own-configuration.tsx';
import { Room } from '../part/room.tsx';
import { Status, type Tone } from '../part/status.tsx';
import { NONE, formatBytes, formatCount, formatTime } from '../format.ts';
import { useForm } from '../state/form.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { LedgerView, TimeView } from '../wire-completeness.ts';
import type { StorageView, UplinkView } from '../wire.ts';

const PERIOD_MS = 2_000;

const LOOK: Readonly<Record<UplinkView['state'], { readonly tone: Tone; readonly icon: IconName }>> = {
	'not-enrolled': { tone: 'idle', icon: 'unknown' },
	connecting: { tone: 'warn', icon: 'wait' },
	online: { tone: 'ok', icon: 'ok' },
	offline: { tone: 'bad', icon: 'offline' },
};

/** How far the hub has what this gateway stored. */
export function SyncPage() {
	const { me } = useServices();
	const { data, error, reload } = usePoll<UplinkView>('/api/v1/uplink', PERIOD_MS);
	const isLeaving = useSignal(false);
	const uplink = data.value;
	const mayEnrol = me.may('gateways:delete');
	return (
		<>
			<div class="title-row">
				<h1>{t('sync.title')}</h1>
				{uplink !== null && (
					<Status tone={LOOK[uplink.state].tone} icon={LOOK[uplink.state].icon}>
						{t(`sync.state.${uplink.state}`)}
					</Status>
				)}
				<span class="spring" />
				{mayEnrol && uplink?.enrolled === true && (
					<button type="button" onClick={() => (isLeaving.value = true)}>
						{t('sync.leave')}
					</button>
				)}
			</div>
			{error.value !== null && (
				<p class="mistake" role="alert">
					{error.value}
				</p>
			)}
			{uplink === null ? <p class="quiet">{t('app.loading')}</p> : <SyncFacts uplink={uplink} />}
			<Own uplink={uplink} />
			<OwnConfiguration uplink={uplink} />
			{uplink !== null && !uplink.enrolled && mayEnrol && <EnrolForm onDone={reload} />}
			<CarryCard uplink={uplink} />
			{isLeaving.value && (
				<Leave
					onClose={() => {
						isLeaving.value = false;
						reload();
					}}
				/>
			)}
		</>
	);
}

const instant = (iso: string | null) =>
	iso === null ? (
		NONE
	) : (
		<>
			{formatTime(iso)} <small>({<Age atMs={Date.parse(iso)} />})</small>
		</>
	);

const LEDGER_PERIOD_MS = 5_000;
const STATE_PERIOD_MS = 10_000;

/** What this gateway says of itself: its ledger as soon as it has a hub, its clock and room to whoever may read its state. */
function Own({ uplink }: { readonly uplink: UplinkView | null }) {
	const { me } = useServices();
	return (
		<>
			{uplink?.enrolled === true && <OwnLedger />}
			{me.may('system:read') && <OwnState />}
		</>
	);
}

/** What the hub does not have of this gateway, and why. */
function OwnLedger() {
	const ledger = usePoll<LedgerView>('/api/v1/uplink/ledger', LEDGER_PERIOD_MS);
	return <Answer of={ledger}>{(answer) => <LedgerCard ledger={answer} />}</Answer>;
}

/** The clock and the room of this box, for whoever may read its state. */
function OwnState() {
	const time = usePoll<TimeView>('/api/v1/system/time', STATE_PERIOD_MS);
	const storage = usePoll<StorageView>('/api/v1/system/storage', STATE_PERIOD_MS);
	return (
		<div class="cards">
			<Answer of={time}>{(answer) => <OwnClock time={answer} />}</Answer>
			<Answer of={storage}>{(answer) => <Room storage={answer} />}</Answer>
		</div>
	);
}

function SyncFacts({ uplink }: { readonly uplink: UplinkView }) {
	const { journal } = uplink;
	return (
		<div class="cards">
			{journal.write_error !== null && (
				<p class="mistake" role="alert">
					{t('sync.writeError', { reason: journal.write_error })}
				</p>
			)}
			<section class="card">
				<Facts
					entries={[
						{ name: t('sync.backlog'), value: formatCount(uplink.backlog_samples) },
						{ name: t('sync.oldest'), value: instant(uplink.backlog_samples === 0 ? null : uplink.oldest_at) },
						{ name: t('sync.acknowledged'), value: instant(uplink.acknowledged_through_at) },
						{ name: t('sync.lost'), value: formatCount(uplink.declared_lost_samples) },
						{ name: t('sync.lastError'), value: uplink.last_error ?? NONE },
					]}
				/>
			</section>
			<section class="card">
				<Facts
					entries={[
						{
							name: t('sync.stored'),
							value: `${formatCount(uplink.stored_samples)} · ${formatBytes(uplink.stored_bytes)}`,
						},
						{ name: t('sync.journal'), value: <JournalUse journal={journal} /> },
					]}
				/>
			</section>
			<section class="card">
				<Facts
					entries={[
						{ name: t('sync.hub'), value: uplink.hub_url ?? NONE },
						{ name: t('sync.gatewayId'), value: <span class="id">{uplink.gateway_id ?? NONE}</span> },
						{ name: t('sync.since'), value: instant(uplink.since) },
					]}
				/>
			</section>
		</div>
	);
}

function JournalUse({ journal }: { readonly journal: UplinkView['journal'] }) {
	const text = t('sync.journalUse', { used: formatBytes(journal.bytes), max: formatBytes(journal.max_bytes) });
	return (
		<>
			<meter min={0} max={journal.max_bytes} value={journal.bytes} high={journal.max_bytes * 0.9} aria-label={text} />
			<div>{text}</div>
		</>
	);
}

const ENROL_FIELDS = ['hub_url', 'code'] as const;

function EnrolForm({ onDone }: { readonly onDone: () => void }) {
	const { api } = useServices();
	const form = useForm(ENROL_FIELDS);
	return (
		<form
			class="card narrow"
			onSubmit={(event) => {
				event.preventDefault();
				const field = readForm(event.currentTarget);
				const body = { hub_url: field('hub_url').trim(), code: field('code').trim() };
				void form.send(async () => {
					await api.post('/api/v1/uplink/enrol', body);
					onDone();
				});
			}}
		>
			<h2>{t('sync.enrol')}</h2>
			<p>{t('sync.enrolLead')}</p>
			<FormProblem form={form} />
			<TextField form={form} name="hub_url" type="url" label={t('sync.hubUrl')} autocomplete="url" required />
			<TextField form={form} name="code" label={t('sync.code')} autocomplete="off" required />
			<button class="primary" disabled={form.busy.value}>
				{t('sync.submit')}
			</button>
		</form>
	);
}

/** A gateway has one hub; it leaves it before it enrols at another. */
function Leave({ onClose }: { readonly onClose: () => void }) {
	const { api } = useServices();
	const form = useForm([]);
	return (
		<FormDialog
			title={t('sync.leaveTitle')}
			form={form}
			submit={t('sync.leave')}
			danger
			onClose={onClose}
			onSend={() => api.remove('/api/v1/uplink')}
		>
			<p>{t('sync.leaveLead')}</p>
		</FormDialog>
	);
}
