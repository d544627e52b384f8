import { type TextKey, t } from '../text.ts';
import type { OutcomeView, PatchOperationView } from '../wire-configuration.ts';
import { type Column, Columns } from './columns.tsx';

const NAMES: Readonly<Partial<Record<PatchOperationView['op'], TextKey>>> = {
	add: 'config.op.add',
	remove: 'config.op.remove',
	replace: 'config.op.replace',
};

/** A value as one line that can be read. */
export const shownValue = (value: unknown): string =>
	value === null || value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value);

/** The changes between two configurations, place by place. */
export function PatchList({ patch }: { readonly patch: readonly PatchOperationView[] }) {
	if (patch.length === 0) return <p class="quiet">{t('config.noChange')}</p>;
	return (
		<ul class="patch">
			{patch.map(({ op, path, value }) => (
				<li key={`${op} ${path}`} class={op}>
					<span>{t(NAMES[op] ?? 'config.op.replace')}</span> <code>{path === '' ? '/' : path}</code>
					{op !== 'remove' && <code class="value">{shownValue(value)}</code>}
				</li>
			))}
		</ul>
	);
}

type Overwritten = OutcomeView['overwritten'][number];

const OVERWRITTEN: readonly Column<Overwritten>[] = [
	{ title: 'config.path', cell: ({ path }) => <code>{path}</code> },
	{ title: 'config.gatewayValue', cell: ({ value }) => <code>{shownValue(value)}</code> },
];

/** What became of a revision, with everything a person needs to go on. */
export function OutcomeFacts({ outcome }: { readonly outcome: OutcomeView }) {
	const { mistakes, overwritten } = outcome;
	const reason = (outcome.reason ?? '').replace(/\.$/, '');
	return (
		<>
			<p class={outcome.outcome === 'applied' ? 'quiet' : 'mistake'}>
				{t(`config.outcome.${outcome.outcome}`, { n: outcome.revision, reason })}
			</p>
			{mistakes.length > 0 && (
				<ul class="patch">
					{mistakes.map(({ path, message }) => (
						<li key={path + message}>
							<code>{path === '' ? '/' : path}</code> {message}
						</li>
					))}
				</ul>
			)}
			{overwritten.length > 0 && (
				<>
					<h3>{t('config.overwritten')}</h3>
					<Columns columns={OVERWRITTEN} rows={overwritten} rowKey={({ path }) => path} />
				</>
			)}
		</>
	);
}
