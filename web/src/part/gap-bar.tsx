import { formatTime } from '../format.ts';
import { formatDuration, gapsText } from '../duration.ts';
import type { Span } from '../state/period.ts';
import { th } from '../text-history.ts';
import type { GapView } from '../wire-completeness.ts';
import { lookOf } from './reason.tsx';
import type { Tone } from './status.tsx';

/** Parts that can be told apart on a screen; gaps that are nearer to each other are drawn as one. */
const PARTS = 500;

interface Stretch extends Span {
	readonly tone: Tone;
}

/** Gaps as they are drawn: oldest first, those of one look together where nobody would see what is between them. */
function stretchesOf(gaps: readonly GapView[], { fromMs, toMs }: Span): readonly Stretch[] {
	const partMs = (toMs - fromMs) / PARTS;
	const stretches: Stretch[] = [];
	for (const gap of gaps) {
		const next = { fromMs: Date.parse(gap.from), toMs: Date.parse(gap.to), tone: lookOf(gap.reason).tone };
		const last = stretches.at(-1);
		if (last?.tone === next.tone && next.fromMs - last.toMs < partMs)
			stretches[stretches.length - 1] = { ...last, toMs: Math.max(last.toMs, next.toMs) };
		else stretches.push(next);
	}
	return stretches;
}

interface GapBarProps {
	readonly gaps: readonly GapView[];
	readonly span: Span;
	/** Before this instant the device was not there; nothing is told of that time. */
	readonly knownMs: number;
	/** What is later has not been yet. */
	readonly nowMs: number;
}

/** A period as a bar from left to right, with what is missing cut out of it. Where, why and how long stands in the list below. */
export function GapBar({ gaps, span, knownMs, nowMs }: GapBarProps) {
	const lengthMs = span.toMs - span.fromMs;
	const percent = (ms: number): string => `${((100 * ms) / lengthMs).toFixed(3)}%`;
	const place = (part: Span) => ({
		insetInlineStart: percent(Math.max(0, part.fromMs - span.fromMs)),
		inlineSize: percent(Math.min(part.toMs, span.toMs) - Math.max(part.fromMs, span.fromMs)),
	});
	const ends = {
		from: formatTime(new Date(span.fromMs).toISOString()),
		to: formatTime(new Date(span.toMs).toISOString()),
	};
	const missingMs = gaps.reduce((sum, { from, to }) => sum + Date.parse(to) - Date.parse(from), 0);
	const summary =
		gaps.length === 0
			? th('missing.barComplete', ends)
			: th('missing.bar', { ...ends, gaps: gapsText(gaps.length), time: formatDuration(missingMs) });
	return (
		<div class="gap-bar">
			<div class="gap-line" role="img" aria-label={summary}>
				{knownMs > span.fromMs && <span class="unknown" style={place({ fromMs: span.fromMs, toMs: knownMs })} />}
				{nowMs < span.toMs && <span class="unknown" style={place({ fromMs: nowMs, toMs: span.toMs })} />}
				{stretchesOf(gaps, span).map((stretch) => (
					<span key={stretch.fromMs} class={`gap ${stretch.tone}`} style={place(stretch)} />
				))}
			</div>
			<div class="gap-ends quiet" aria-hidden="true">
				<span>{ends.from}</span>
				<span>{ends.to}</span>
			</div>
		</div>
	);
}
