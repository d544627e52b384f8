import { usePoll } from '../state/poll.ts';
import { t } from '../text.ts';
import type { ComponentView, SystemHealthView } from '../wire.ts';
import { Icon } from './icon.tsx';

const PERIOD_MS = 10_000;

/** Words by which components say that nothing is wrong with them. */
const WELL: ReadonlySet<string> = new Set([
	'ok',
	'up',
	'connected',
	'healthy',
	'ready',
	'running',
	'disabled',
	'not-enrolled',
]);

const viewOf = (component: ComponentView | string): ComponentView =>
	typeof component === 'string' ? { status: component } : component;

/** Parts of the server that are not well, with the server's own reason. Nothing while all are. */
export function Problems() {
	const { data } = usePoll<SystemHealthView>('/health', PERIOD_MS);
	const sick = Object.entries(data.value?.components ?? {}).flatMap(([name, component]) => {
		const { status, reason } = viewOf(component);
		return status === undefined || WELL.has(status) ? [] : [{ name, sentence: reason ?? status }];
	});
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
