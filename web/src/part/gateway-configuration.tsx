import { useSignal } from '@preact/signals';
import { useEffect, useId } from 'preact/hooks';

import { ApiError } from '../api.ts';
import { formatTime } from '../format.ts';
import { Age } from './age.tsx';
import { Answer } from './answer.tsx';
import { type Column, Columns } from './columns.tsx';
import { Conflicts } from './conflicts.tsx';
import { FormDialog } from './dialog.tsx';
import { Facts } from './facts.tsx';
import { FormProblem, TextField } from './field.tsx';
import type { IconName } from './icon.tsx';
import { RollBack } from './own-configuration.tsx';
import { OutcomeFacts, PatchList } from './patch.tsx';
import { Status, type Tone } from './status.tsx';
import { useForm } from '../state/form.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type {
	GatewayConfigurationView,
	OutcomeView,
	PatchOperationView,
	RevisionView,
	Standing,
} from '../wire-configuration.ts';

const PERIOD_MS = 2_000;
const LIST_PERIOD_MS = 30_000;

const LOOK: Readonly<Record<Standing, { readonly tone: Tone; readonly icon: IconName }>> = {
	unknown: { tone: 'idle', icon: 'unknown' },
	unmanaged: { tone: 'idle', icon: 'unknown' },
	waiting: { tone: 'warn', icon: 'wait' },
	trial: { tone: 'warn', icon: 'wait' },
	running: { tone: 'ok', icon: 'ok' },
	drift: { tone: 'warn', icon: 'degraded' },
	'rolled-back': { tone: 'bad', icon: 'offline' },
	refused: { tone: 'bad', icon: 'offline' },
	conflict: { tone: 'warn', icon: 'degraded' },
};

/** What a gateway runs, what it should run, and what became of that; for whoever may change it. */
export function GatewayConfiguration({ id }: { readonly id: string }) {
	const path = `/api/v1/gateways/${encodeURIComponent(id)}/configuration`;
	const polled = usePoll<GatewayConfigurationView>(path, PERIOD_MS);
	return (
		<Answer of={polled}>
			{(overview) => <Configuration path={path} overview={overview} onDone={polled.reload} />}
		</Answer>
	);
}

interface PartProps {
	readonly path: string;
	readonly overview: GatewayConfigurationView;
	readonly onDone: () => void;
}

function Configuration({ path, overview, onDone }: PartProps) {
	const { last, reported, standing } = overview;
	const isRollingBack = useSignal(false);
	const canGoBack = reported !== null && (reported.trial !== null || reported.previous_revision !== null);
	return (
		<div class="cards wide-cards">
			<section class="card">
				<div class="title-row">
					<h2>{t('config.title')}</h2>
					<Status tone={LOOK[standing].tone} icon={LOOK[standing].icon}>
						{t(`config.standing.${standing}`)}
					</Status>
					<span class="spring" />
					{canGoBack && (
						<button type="button" onClick={() => (isRollingBack.value = true)}>
							{t('config.rollBack')}
						</button>
					)}
				</div>
				<Facts entries={factsOf(overview)} />
				{last !== null && <OutcomeFacts outcome={last} />}
			</section>
			{standing === 'conflict' && last !== null && <Conflicts outcome={last} path={path} onDone={onDone} />}
			{reported !== null && reported.revision > 0 && reported.drift_operations > 0 && (
				<Drift path={path} overview={overview} onDone={onDone} />
			)}
			<Revisions path={path} overview={overview} onDone={onDone} />
			{isRollingBack.value && (
				<RollBack
					path={`${path}/rollback`}
					onClose={() => {
						isRollingBack.value = false;
						onDone();
					}}
				/>
			)}
		</div>
	);
}

function factsOf({ reported, order }: GatewayConfigurationView) {
	const facts = [];
	if (order !== null)
		facts.push({
			name: t('config.ordered'),
			value: t('config.orderedBy', { n: order.revision, author: order.author }),
		});
	if (reported === null) return facts;
	const { revision, drift_operations: drift, trial, restart_needed: restart } = reported;
	facts.push({
		name: t('config.runs'),
		value: revision === 0 ? t('config.none') : t('config.revision', { n: revision }),
	});
	if (trial !== null) facts.push({ name: t('config.trialUntil'), value: formatTime(trial.until) });
	if (revision > 0)
		facts.push({
			name: t('config.driftCount'),
			value: drift === 0 ? t('config.driftNone') : t('config.driftSome', { n: drift }),
		});
	if (restart.length > 0) facts.push({ name: t('config.restart'), value: restart.join(', ') });
	facts.push({ name: t('config.reported'), value: <Age atMs={Date.parse(reported.at)} /> });
	return facts;
}

function Drift({ path, overview, onDone }: PartProps) {
	const { api } = useServices();
	const { data, reload } = usePoll<{ readonly patch: readonly PatchOperationView[] }>(`${path}/drift`, PERIOD_MS);
	const form = useForm([]);
	const isDiscarding = useSignal(false);
	const revision = overview.reported?.revision ?? 0;

	const adopt = () =>
		form.send(async () => {
			await api.post(`${path}/drift/adopt`, {});
			reload();
			onDone();
		});

	return (
		<section class="card">
			<h2>{t('config.drift')}</h2>
			<p>{t('config.driftLead', { n: revision })}</p>
			<FormProblem form={form} />
			{data.value !== null && <PatchList patch={data.value.patch} />}
			<div class="actions">
				<button type="button" class="primary" disabled={form.busy.value} onClick={() => void adopt()}>
					{t('config.adopt')}
				</button>
				<button type="button" onClick={() => (isDiscarding.value = true)}>
					{t('config.discard')}
				</button>
			</div>
			{isDiscarding.value && (
				<FormDialog
					title={t('config.discard')}
					form={form}
					submit={t('config.discard')}
					danger
					onClose={() => {
						isDiscarding.value = false;
						onDone();
					}}
					onSend={async () => void (await api.post(`${path}/revisions/${revision}/apply`, { discard_drift: true }))}
				>
					<p>{t('config.discardLead', { n: revision })}</p>
				</FormDialog>
			)}
		</section>
	);
}

function Revisions({ path, overview, onDone }: PartProps) {
	const { api } = useServices();
	const news = useSignal(overview.last_revision);
	useEffect(() => void (news.value = overview.last_revision), [news, overview.last_revision]);
	const { data } = usePoll<readonly RevisionView[]>(`${path}/revisions`, LIST_PERIOD_MS, news);
	const form = useForm([]);
	const chosen = useSignal<RevisionView | null>(null);
	const isEditing = useSignal(false);
	const revisions = data.value;

	const columns: readonly Column<RevisionView>[] = [
		{
			title: 'config.number',
			cell: ({ revision }) => <strong>{t('config.revision', { n: revision })}</strong>,
		},
		{
			title: 'config.made',
			cell: ({ author, created_at: at }) => <>{t('config.by', { author, time: formatTime(at) })}</>,
		},
		{ title: 'config.comment', cell: ({ comment }) => <>{comment}</> },
		{ title: 'config.devices', numeric: true, cell: ({ devices }) => <>{devices}</> },
		{
			title: 'app.actions',
			cell: (revision) => (
				<div class="row-actions">
					<button type="button" onClick={() => (chosen.value = revision)}>
						{t('config.apply')}
					</button>
				</div>
			),
		},
	];

	const importIt = () =>
		form.send(async () => {
			await api.post(`${path}/drift/adopt`, {});
			onDone();
		});

	return (
		<section class="card">
			<div class="title-row">
				<h2>{t('config.revisions')}</h2>
				<span class="spring" />
				{overview.reported !== null && (
					<button type="button" onClick={() => (isEditing.value = true)}>
						{t('config.edit')}
					</button>
				)}
			</div>
			<FormProblem form={form} />
			{revisions?.length === 0 && (
				<>
					<p class="quiet">{t('config.empty')}</p>
					{overview.reported !== null && (
						<button type="button" class="primary" disabled={form.busy.value} onClick={() => void importIt()}>
							{t('config.import')}
						</button>
					)}
				</>
			)}
			{revisions !== null && revisions.length > 0 && (
				<Columns columns={columns} rows={revisions} rowKey={({ revision }) => String(revision)} />
			)}
			{chosen.value !== null && (
				<Apply
					path={path}
					revision={chosen.value}
					onClose={() => {
						chosen.value = null;
						onDone();
					}}
				/>
			)}
			{isEditing.value && (
				<Edit
					path={path}
					onClose={() => {
						isEditing.value = false;
						onDone();
					}}
				/>
			)}
		</section>
	);
}

interface PreviewView extends Pick<OutcomeView, 'mistakes' | 'conflicts'> {
	readonly patch: readonly PatchOperationView[];
}

/** What a revision would change, before it does. */
function Apply({
	path,
	revision: { revision },
	onClose,
}: {
	readonly path: string;
	readonly revision: RevisionView;
	readonly onClose: () => void;
}) {
	const { api } = useServices();
	const form = useForm([]);
	const preview = useSignal<PreviewView | null>(null);
	useEffect(() => {
		void form.send(async () => {
			preview.value = await api.post<PreviewView>(`${path}/preview`, { revision });
		});
	}, [api, path, revision, preview]);
	return (
		<FormDialog
			title={t('config.applyWhich', { n: revision })}
			form={form}
			submit={t('config.apply')}
			onClose={onClose}
			onSend={async () => void (await api.post(`${path}/revisions/${revision}/apply`, {}))}
		>
			<p>{t('config.applyLead')}</p>
			{preview.value !== null && (
				<>
					<h3>{t('config.changes')}</h3>
					<PatchList patch={preview.value.patch} />
					<PreviewProblems preview={preview.value} />
				</>
			)}
		</FormDialog>
	);
}

/** What would keep the gateway from it, as far as the hub can tell. */
function PreviewProblems({ preview: { mistakes, conflicts } }: { readonly preview: PreviewView }) {
	return (
		<>
			{mistakes.map(({ path, message }) => (
				<p key={path + message} class="mistake">
					<code>{path}</code> {message}
				</p>
			))}
			{conflicts.length > 0 && (
				<p class="mistake">{t('config.conflictsAhead', { places: conflicts.map(({ path }) => path).join(', ') })}</p>
			)}
		</>
	);
}

/** @throws ApiError that belongs to the field, as if the server had found it */
function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		const message = t('config.notJson');
		throw new ApiError({ status: 422, code: '', message, fields: { document: message }, retryAfterS: null });
	}
}

/** The whole configuration as text; the server says what is wrong with it. */
function Edit({ path, onClose }: { readonly path: string; readonly onClose: () => void }) {
	const { api } = useServices();
	const form = useForm(['document', 'comment']);
	const text = useSignal('');
	const id = useId();
	useEffect(() => {
		void form.send(async () => {
			text.value = JSON.stringify(await api.get<unknown>(`${path}/current`), null, 2);
		});
	}, [api, path, text]);
	const mistake = form.fields.value['document'];
	return (
		<FormDialog
			title={t('config.edit')}
			form={form}
			submit={t('config.make')}
			onClose={onClose}
			onSend={async (field) => {
				const document = parsed(field('document'));
				await api.post(`${path}/revisions`, { document, comment: field('comment') });
			}}
		>
			<p>{t('config.editLead')}</p>
			<div class="field">
				<label for={id}>{t('config.document')}</label>
				<textarea
					id={id}
					name="document"
					class="code"
					rows={18}
					spellcheck={false}
					aria-invalid={mistake !== undefined}
					aria-describedby={`${id}-note`}
					value={text.value}
				/>
				<p id={`${id}-note`} class="mistake" hidden={mistake === undefined}>
					{mistake}
				</p>
			</div>
			<TextField form={form} name="comment" label={t('config.comment')} autocomplete="off" />
		</FormDialog>
	);
}
