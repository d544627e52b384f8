import { useComputed, useSignal } from '@preact/signals';

import { useServices } from './services.ts';

export interface Span {
	readonly fromMs: number;
	readonly toMs: number;
}

/** Spans that end now, ms. */
export const PRESETS = {
	hour: 3_600_000,
	day: 86_400_000,
	week: 7 * 86_400_000,
	month: 30 * 86_400_000,
	year: 365 * 86_400_000,
} as const;

export type PresetId = keyof typeof PRESETS;

/** What a person has chosen to see. */
export type Period = { readonly kind: PresetId } | ({ readonly kind: 'own' } & Span);

/** Names a period, so that what is shown of one is never taken for another's. */
export const periodKey = (period: Period): string =>
	period.kind === 'own' ? `${period.fromMs}-${period.toMs}` : period.kind;

/** A moving period moves on in so many steps, and not more often than once a minute. */
const STEPS = 500;
const SHORTEST_STEP_MS = 60_000;
/** What was read later may still be on its way, which is nothing to tell of. */
const SETTLED_MS = 5_000;

/** From when to when a period is now. Give its component a `key` of the period. */
export function useSpan(period: Period): Span {
	const { clock } = useServices();
	const lengthMs = period.kind === 'own' ? period.toMs - period.fromMs : PRESETS[period.kind];
	const stepMs = Math.max(SHORTEST_STEP_MS, lengthMs / STEPS);
	const first = useSignal(clock.now.peek() - SETTLED_MS).peek();
	const end = useComputed(() => first + Math.floor((clock.now.value - SETTLED_MS - first) / stepMs) * stepMs);
	return period.kind === 'own' ? period : { fromMs: end.value - lengthMs, toMs: end.value };
}

/** No device reads anything before. */
const EARLIEST_MS = Date.UTC(2000, 0, 1);

export type PeriodMistake = 'needed' | 'order' | 'future' | 'tooEarly' | 'tooLong';

/** What is wrong with a period that somebody has entered, and in which field; `null`: nothing. NaN stands for nothing entered. */
export function mistakeIn(
	{ fromMs, toMs }: Span,
	nowMs: number,
	mostMs: number,
): { readonly field: 'from' | 'to'; readonly what: PeriodMistake } | null {
	if (Number.isNaN(fromMs)) return { field: 'from', what: 'needed' };
	if (Number.isNaN(toMs)) return { field: 'to', what: 'needed' };
	if (fromMs < EARLIEST_MS) return { field: 'from', what: 'tooEarly' };
	if (fromMs >= nowMs) return { field: 'from', what: 'future' };
	if (toMs <= fromMs) return { field: 'to', what: 'order' };
	if (toMs - fromMs > mostMs) return { field: 'from', what: 'tooLong' };
	return null;
}
