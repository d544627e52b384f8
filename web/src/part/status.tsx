import type { ComponentChildren } from 'preact';

import { healthOf } from '../state/freshness.ts';
import { type TextKey, t } from '../text.ts';
import type { DeviceView, HealthState, Quality } from '../wire.ts';
import { Icon, type IconName } from './icon.tsx';

export type Tone = 'ok' | 'warn' | 'bad' | 'idle';

/** One status: shape, colour and text together. */
export function Status({ tone, icon, children }: { tone: Tone; icon: IconName; children: ComponentChildren }) {
	return (
		<span class={`status ${tone}`}>
			<Icon name={icon} />
			<span>{children}</span>
		</span>
	);
}

interface Look {
	readonly tone: Tone;
	readonly icon: IconName;
	readonly text: TextKey;
}

const HEALTH_LOOK: Readonly<Record<HealthState, Look>> = {
	ok: { tone: 'ok', icon: 'ok', text: 'health.ok' },
	degraded: { tone: 'warn', icon: 'degraded', text: 'health.degraded' },
	offline: { tone: 'bad', icon: 'offline', text: 'health.offline' },
	unknown: { tone: 'idle', icon: 'unknown', text: 'health.unknown' },
};

/** Set by a person, and stronger than what the acquisition sees. */
const MAINTENANCE: Look = { tone: 'idle', icon: 'wait', text: 'health.maintenance' };

export function HealthMark({ device }: { readonly device: DeviceView }) {
	const { tone, icon, text } = device.status === 'maintenance' ? MAINTENANCE : HEALTH_LOOK[healthOf(device).state];
	return (
		<Status tone={tone} icon={icon}>
			{t(text)}
		</Status>
	);
}

const QUALITY_LOOK: Readonly<Record<Exclude<Quality, 'good'>, Look>> = {
	stale: { tone: 'idle', icon: 'wait', text: 'quality.stale' },
	out_of_range: { tone: 'warn', icon: 'degraded', text: 'quality.out_of_range' },
	substituted: { tone: 'warn', icon: 'unknown', text: 'quality.substituted' },
	comm_error: { tone: 'bad', icon: 'offline', text: 'quality.comm_error' },
};

/** The state of a device as a report says it. */
export function HealthStateMark({ state }: { readonly state: HealthState }) {
	const { tone, icon, text } = HEALTH_LOOK[state];
	return (
		<Status tone={tone} icon={icon}>
			{t(text)}
		</Status>
	);
}

/** Says what is wrong with a value; a good value needs no mark. */
export function QualityMark({ quality }: { readonly quality: Quality }) {
	if (quality === 'good') return null;
	const { tone, icon, text } = QUALITY_LOOK[quality];
	return (
		<Status tone={tone} icon={icon}>
			{t(text)}
		</Status>
	);
}
