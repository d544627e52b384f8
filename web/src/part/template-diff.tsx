import { useSignal } from '@preact/signals';

import { type TemplateTextKey, tt } from '../text-template.ts';
import { th } from '../text-history.ts';
import type { MemberChangeView, TemplateDiffView } from '../wire-template.ts';

/** Points that are written out at once, and that one more press adds. */
const STEP = 20;
const MAX_SHOWN_CHARS = 200;

function valueText(value: unknown): string {
	if (value === null || value === undefined) return tt('preview.none');
	const text = typeof value === 'string' ? value : JSON.stringify(value);
	return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}

function Members({ members }: { readonly members: readonly MemberChangeView[] }) {
	return (
		<>
			{members.map(({ member, before, after }) => (
				<span class="member" key={member}>
					<code>{member}</code>: <del>{valueText(before)}</del> → <ins>{valueText(after)}</ins>
				</span>
			))}
		</>
	);
}

interface PointKeysProps {
	readonly title: TemplateTextKey;
	readonly keys: readonly string[];
}

function PointKeys({ title, keys }: PointKeysProps) {
	if (keys.length === 0) return null;
	return (
		<li>
			<strong>
				{tt(title)} <span class="quiet">{keys.length}</span>
			</strong>
			<code class="value">{keys.join(', ')}</code>
		</li>
	);
}

/** What a document changes of the template that is there. */
export function TemplateDiff({ diff: { header, added, removed, changed } }: { readonly diff: TemplateDiffView }) {
	const shown = useSignal(STEP);
	if (header.length + added.length + removed.length + changed.length === 0)
		return <p class="quiet">{tt('preview.same')}</p>;
	return (
		<div class="card">
			<ul class="patch">
				{header.length > 0 && (
					<li>
						<strong>{tt('preview.header')}</strong>
						<Members members={header} />
					</li>
				)}
				<PointKeys title="preview.added" keys={added} />
				<PointKeys title="preview.removed" keys={removed} />
				{changed.length > 0 && (
					<li>
						<strong>
							{tt('preview.changed')} <span class="quiet">{changed.length}</span>
						</strong>
					</li>
				)}
				{changed.slice(0, shown.value).map(({ key, members }) => (
					<li key={key}>
						<code>{key}</code>
						<Members members={members} />
					</li>
				))}
			</ul>
			{changed.length > shown.value && (
				<button type="button" onClick={() => (shown.value += STEP)}>
					{th('list.more', { n: Math.min(STEP, changed.length - shown.value) })}
				</button>
			)}
		</div>
	);
}
