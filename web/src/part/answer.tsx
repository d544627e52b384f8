import type { ComponentChildren } from 'preact';

import type { Polled } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import { Problem } from './list.tsx';

interface AnswerProps<T> {
	readonly of: Polled<T>;
	readonly children: (answer: T) => ComponentChildren;
}

/** What the server answers: loading, not reached, refused, or there. What is there stays while the server is away. */
export function Answer<T>({ of, children }: AnswerProps<T>) {
	const { connection } = useServices();
	const answer = of.data.value;
	const error = of.error.value;
	const isAway = connection.state.value === 'reconnecting' || connection.state.value === 'restarting';
	return (
		<>
			<Problem>{error}</Problem>
			{answer !== null && children(answer)}
			{answer === null && error === null && <p class="quiet">{t(isAway ? 'error.unreachable' : 'app.loading')}</p>}
		</>
	);
}
