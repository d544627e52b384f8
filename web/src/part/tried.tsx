import { useEffect, useRef } from 'preact/hooks';

import { formatValue } from '../format.ts';
import { tf } from '../text-field.ts';
import type { DecodingView, TriedReadView, TriedView } from '../wire-field.ts';
import type { Column } from './columns.tsx';
import { MoreColumns } from './more.tsx';
import { Status } from './status.tsx';

/** What a device answered, and what it could mean. */
export function Tried({ tried }: { readonly tried: TriedView }) {
	const isAnswered = tried.reads.some(({ words }) => words.length > 0);
	const section = useRef<HTMLElement>(null);
	// On a phone the answer comes below what can be seen.
	useEffect(() => section.current?.scrollIntoView({ block: 'start' }), [tried]);
	return (
		<section ref={section} class="tried" aria-live="polite">
			{tried.reads.map((read) => (
				<Read key={`${read.address}/${read.count}`} read={read} />
			))}
			{isAnswered && (
				<>
					<h2 class="section-title">{tf('try.meanings')}</h2>
					{tried.decodings.length === 0 ? (
						<p class="quiet">{tf('try.noMeaning')}</p>
					) : (
						<MoreColumns columns={COLUMNS} rows={tried.decodings} rowKey={keyOf} />
					)}
				</>
			)}
		</section>
	);
}

const latencyOf = ({ latency_ms: ms }: TriedReadView): string =>
	ms === null ? '' : tf('try.answered', { ms: ms.toFixed(1) });

function Read({ read }: { readonly read: TriedReadView }) {
	const { exception, exception_code: code, error, words } = read;
	return (
		<div class="card">
			<p>
				<strong>{tf('try.from', { address: read.address })}</strong> <span class="quiet">{latencyOf(read)}</span>
			</p>
			{exception !== null && (
				<Status tone="warn" icon="degraded">
					{tf('try.exception', { code: code ?? '', text: exception })}
				</Status>
			)}
			{error !== null && (
				<Status tone="bad" icon="offline">
					{error}
				</Status>
			)}
			{words.length > 0 && (
				<ol class="words" aria-label={tf('try.words')}>
					{words.map(({ address, hex, decimal }) => (
						<li key={address}>
							<small>{address}</small>
							<code>{hex}</code>
							<small>{decimal}</small>
						</li>
					))}
				</ol>
			)}
		</div>
	);
}

const keyOf = ({ notation, address, count, type, byte_order: order, scale }: DecodingView): string =>
	`${notation}/${address}/${count}/${type}/${order}/${scale}`;

const COLUMNS: readonly Column<DecodingView>[] = [
	{
		title: { words: tf('try.value') },
		cell: ({ value, hint, matches, scale }) => (
			<>
				<strong class="decoded">{formatValue(value)}</strong>
				{scale !== 1 && <span class="quiet"> {tf('try.scale', { scale })}</span>}
				{matches === true && (
					<Status tone="ok" icon="ok">
						{tf('try.matches')}
					</Status>
				)}
				{hint !== null && <small>{hint}</small>}
			</>
		),
	},
	{
		title: { words: tf('try.type') },
		cell: ({ type, byte_order: order }) => (
			<>
				{type} <span class="quiet">{order}</span>
			</>
		),
	},
	{
		title: { words: tf('try.place') },
		cell: ({ reference, address, notation }) => (
			<>
				<span class="id">{reference}</span>
				<small>
					{tf(`try.${notation}`)}, {tf('try.wire', { address })}
				</small>
			</>
		),
	},
];
