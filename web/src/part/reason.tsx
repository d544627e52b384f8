import { type LedgerTextKey, isLedgerText, tl } from '../text-ledger.ts';
import type { IconName } from './icon.tsx';
import { Status, type Tone } from './status.tsx';

interface ReasonLook {
	readonly tone: Tone;
	readonly icon: IconName;
}

const LOST: ReasonLook = { tone: 'bad', icon: 'offline' };
const LOOKS: Readonly<Record<string, ReasonLook>> = {
	'in-transit': { tone: 'warn', icon: 'wait' },
	'gateway-off': { tone: 'idle', icon: 'unknown' },
	'bus-fault': { tone: 'warn', icon: 'degraded' },
	'device-silent': { tone: 'warn', icon: 'degraded' },
	thinned: { tone: 'idle', icon: 'ok' },
};

const textOf = (kind: 'reason' | 'hint', reason: string): LedgerTextKey | null => {
	const key = `${kind}.${reason}`;
	return isLedgerText(key) ? key : null;
};

/** Why something is not there, in words; a reason that this page does not know stands for itself. */
function reasonText(reason: string): string {
	const key = textOf('reason', reason);
	return key === null ? reason : tl(key);
}

/** What a person can do about it; '' where nothing is known. */
export function hintOf(reason: string): string {
	const key = textOf('hint', reason);
	return key === null ? '' : tl(key);
}

export const lookOf = (reason: string): ReasonLook => LOOKS[reason] ?? LOST;

/** A reason as shape, colour and words. */
export function Reason({ reason }: { readonly reason: string }) {
	const { tone, icon } = lookOf(reason);
	return (
		<Status tone={tone} icon={icon}>
			{reasonText(reason)}
		</Status>
	);
}
