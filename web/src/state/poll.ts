import { type ReadonlySignal, useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import type { ConnectionState } from './connection.ts';
import { useServices } from './services.ts';

/** States in which the server has not been reached. */
const AWAY: ReadonlySet<ConnectionState> = new Set(['reconnecting', 'restarting']);

export interface Polled<T> {
	/** Last answer; `null` before the first. Stays while the server is away. */
	readonly data: ReadonlySignal<T | null>;
	/** Why the last try failed; silent while the server is not connected, the connection badge says that already. */
	readonly error: ReadonlySignal<string | null>;
	readonly reload: () => void;
}

/**
 * Asks again each period as long as the component is shown and the page is looked at. Never two questions at once.
 * @param periodMs `null`: once, and for each of the `news`
 * @param news something whose change is a reason to ask at once
 */
export function usePoll<T>(path: string, periodMs: number | null, news?: ReadonlySignal<unknown>): Polled<T> {
	const { api, connection } = useServices();
	const data = useSignal<T | null>(null);
	const error = useSignal<string | null>(null);
	const nudge = useSignal(0);
	const isAway = useComputed(() => AWAY.has(connection.state.value));

	useEffect(() => {
		let timer: ReturnType<typeof setTimeout> | undefined;
		let shown = true;

		async function ask(): Promise<void> {
			if (document.visibilityState !== 'visible' || connection.state.value === 'restarting') return;
			try {
				const answer = await api.get<T>(path);
				if (!shown) return;
				data.value = answer;
				error.value = null;
			} catch (cause) {
				if (!shown) return;
				error.value = connection.state.value === 'connected' && cause instanceof Error ? cause.message : null;
			}
		}

		async function loop(): Promise<void> {
			await ask();
			if (shown && periodMs !== null) timer = setTimeout(() => void loop(), periodMs);
		}

		void loop();
		return () => {
			shown = false;
			clearTimeout(timer);
		};
		// When the server comes back, nobody waits for the next period to be asked again.
	}, [api, connection, path, periodMs, nudge.value, news?.value, isAway.value, data, error]);

	return {
		data,
		error,
		reload() {
			nudge.value += 1;
		},
	};
}
