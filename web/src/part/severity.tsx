import { t } from '../text.ts';
import type { Severity } from '../wire.ts';
import type { IconName } from './icon.tsx';
import { Status, type Tone } from './status.tsx';

const LOOK: Readonly<Record<Severity, { readonly tone: Tone; readonly icon: IconName }>> = {
	info: { tone: 'idle', icon: 'unknown' },
	warning: { tone: 'warn', icon: 'degraded' },
	critical: { tone: 'bad', icon: 'offline' },
};

export function SeverityMark({ severity }: { readonly severity: Severity }) {
	return <Status {...LOOK[severity]}>{t(`severity.${severity}`)}</Status>;
}
