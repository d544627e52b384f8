import { usePoll } from '../state/poll.ts';
import { t } from '../text.ts';
import type { SystemHealthView } from '../wire.ts';
import { Icon } from './icon.tsx';

const PERIOD_MS = 10_000;

/** Parts of the server that are not connected, with the server's own reason. Nothing while all are. */
export function Problems() {
	const { data } = usePoll<SystemHealthView>('/health', PERIOD_MS);
	const health = data.value ?? {};
	const silent = Object.keys(health).filter((name) => health[name] === 'disconnected');
	const names = new Set([...silent, ...Object.keys(health.reasons ?? {})]);
	const sick = [...names].map((name) => ({ name, sentence: health.reasons?.[name] ?? t('app.disconnected') }));
	if (sick.length === 0) return null;
	return (
		<ul class="problems" role="alert" aria-label={t('app.problems')}>
			{sick.map(({ name, sentence }) => (
				<li key={name}>
					<Icon name="degraded" />
					<span>
						<strong>{name}</strong> {sentence}
					</span>
				</li>
			))}
		</ul>
	);
}
