import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { Back } from '../part/back.tsx';
import { type Column, Columns } from '../part/columns.tsx';
import { Problem } from '../part/list.tsx';
import { Status } from '../part/status.tsx';
import { NONE, formatTime } from '../format.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { AuditView } from '../wire.ts';

const PART = 50;

/** The same again under another reference's name. */
const TWICE: ReadonlySet<string> = new Set(['_id', 'disabled']);
/** More fold away. */
const SHOWN_CHANGES = 4;

const written = (value: unknown): string =>
	value === undefined || value === null || value === '' ? NONE : JSON.stringify(value);

/** The fields that are not the same before and after. */
function changesOf({ before, after }: AuditView): readonly string[] {
	const old = before ?? {};
	const fresh = after ?? {};
	const names = [...new Set([...Object.keys(old), ...Object.keys(fresh)])];
	return names
		.filter((name) => !TWICE.has(name) && written(old[name]) !== written(fresh[name]))
		.map((name) => `${name}: ${written(old[name])} → ${written(fresh[name])}`);
}

const lines = (changes: readonly string[]) => (
	<ul class="changes">
		{changes.map((change) => (
			<li key={change}>{change}</li>
		))}
	</ul>
);

function Changes({ entry }: { readonly entry: AuditView }) {
	const changes = changesOf(entry);
	if (changes.length <= SHOWN_CHANGES) return lines(changes);
	return (
		<details>
			<summary>{t('audit.fields', { n: changes.length })}</summary>
			{lines(changes)}
		</details>
	);
}

const COLUMNS: readonly Column<AuditView>[] = [
	{ title: 'audit.at', cell: ({ at }) => formatTime(at) },
	{
		title: 'audit.who',
		cell: ({ actor, from }) => (
			<>
				<strong>{actor?.email ?? t('audit.nobody')}</strong>
				<small>{from}</small>
			</>
		),
	},
	{
		title: 'audit.what',
		cell: ({ action, outcome, reason, target, count }) => (
			<>
				<Status tone={outcome === 'done' ? 'ok' : 'warn'} icon={outcome === 'done' ? 'ok' : 'degraded'}>
					{action}
					{count > 1 && ` ${t('audit.times', { n: count })}`}
				</Status>
				{target !== null && <small class="id">{target}</small>}
				{reason !== null && <small class="reason">{reason}</small>}
			</>
		),
	},
	{
		title: 'audit.change',
		cell: (entry) => <Changes entry={entry} />,
	},
];

/** Who changed what, and what was refused; newest first. */
export function AuditPage() {
	const { api } = useServices();
	const entries = useSignal<readonly AuditView[] | null>(null);
	const next = useSignal<string | null>(null);
	const problem = useSignal<string | null>(null);
	const outcome = useSignal('');

	async function load(cursor: string | null): Promise<void> {
		const filter = outcome.value === '' ? '' : `&outcome=${outcome.value}`;
		const from = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
		try {
			const part = await api.part<AuditView>(`/api/v1/audit?limit=${PART}${filter}${from}`);
			entries.value = cursor === null ? part.items : [...(entries.value ?? []), ...part.items];
			next.value = part.next;
			problem.value = null;
		} catch (error) {
			problem.value = error instanceof Error ? error.message : t('error.unreachable');
		}
	}

	useEffect(() => void load(null), [outcome.value]);

	return (
		<>
			<Back to="settings" />
			<div class="title-row">
				<h1>{t('audit.title')}</h1>
				<span class="spring" />
				<select
					class="short"
					aria-label={t('audit.show')}
					onChange={(event) => {
						outcome.value = event.currentTarget.value;
					}}
				>
					<option value="">{t('audit.all')}</option>
					<option value="done">{t('audit.done')}</option>
					<option value="refused">{t('audit.refused')}</option>
				</select>
			</div>
			<Problem>{problem.value}</Problem>
			{entries.value === null && problem.value === null && <p class="quiet">{t('app.loading')}</p>}
			{entries.value?.length === 0 && <p class="quiet">{t('audit.empty')}</p>}
			{entries.value !== null && entries.value.length > 0 && (
				<Columns columns={COLUMNS} rows={entries.value} rowKey={({ id }) => id} />
			)}
			{next.value !== null && (
				<div class="pager">
					<button type="button" onClick={() => void load(next.value)}>
						{t('audit.more')}
					</button>
				</div>
			)}
		</>
	);
}
