import { VERDICT_LOOK } from '../state/line-look.ts';
import { tf } from '../text-field.ts';
import type { WiringView } from '../wire-field.ts';
import { Status } from './status.tsx';

/** What is thought of the wiring, in one mark. */
export function WiringMark({ health }: { readonly health: WiringView }) {
	return (
		<Status {...VERDICT_LOOK[health.verdict]}>
			{tf(`verdict.${health.verdict}`)}
			{health.score !== null && <small class="score"> {tf('line.wiringScore', { score: health.score })}</small>}
		</Status>
	);
}

/** Why it is thought so, and what to look at. */
export function WiringReasons({ health }: { readonly health: WiringView }) {
	if (health.reasons.length === 0)
		return <p class="quiet">{tf(health.verdict === 'unknown' ? 'line.wiringUnknown' : 'line.wiringFine')}</p>;
	return (
		<ul class="sentences">
			{health.reasons.map((reason) => (
				<li key={reason}>{reason}</li>
			))}
		</ul>
	);
}
