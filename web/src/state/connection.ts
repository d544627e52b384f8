import { type ReadonlySignal, computed, signal } from '@preact/signals';

import { later } from './later.ts';

export type ConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'restarting' | 'logged-out';

/** The one place that knows whether the server can be reached; everything else stays quiet while it cannot. */
export interface Connection {
	readonly state: ReadonlySignal<ConnectionState>;
	/** The server serves another build of this page than the one that runs. */
	readonly outdated: ReadonlySignal<boolean>;
	/** The server takes no more requests for a moment; what is asked goes on by itself. */
	readonly crowded: ReadonlySignal<boolean>;
	/** Waits as long as the server asked for. */
	readonly pause: (seconds: number) => Promise<void>;
	readonly up: () => void;
	readonly down: () => void;
	readonly connecting: () => void;
	readonly loggedOut: () => void;
}

const PROBE_PERIOD_MS = 2_000;
const PROBE_TIMEOUT_MS = 3_000;
/** Those who wait for the same second do not come back in the same moment. */
const PAUSE_SPREAD_MS = 700;

/**
 * A refused connection or "not ready" is a server that restarts; silence is a network that is gone; an answer means that only the live
 * channel is missing.
 */
async function probe(): Promise<'reconnecting' | 'restarting'> {
	try {
		const response = await fetch('/readiness', { cache: 'no-store', signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
		return response.status >= 500 ? 'restarting' : 'reconnecting';
	} catch (error) {
		const silent = error instanceof DOMException && error.name === 'TimeoutError';
		return silent || !navigator.onLine ? 'reconnecting' : 'restarting';
	}
}

/** Names of hashed files change with their content, so the served page tells whether this one is still current. */
async function servedElsewise(): Promise<boolean> {
	const running = document.querySelector<HTMLScriptElement>('script[type="module"]')?.getAttribute('src');
	if (running === null || running === undefined) return false;
	const response = await fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
	return response.ok && !(await response.text()).includes(running);
}

export function createConnection(): Connection {
	const state = signal<ConnectionState>('connecting');
	const outdated = signal(false);
	const paused = signal(0);
	let timer: ReturnType<typeof setInterval> | undefined;

	function settle(next: ConnectionState): void {
		clearInterval(timer);
		state.value = next;
	}

	async function look(): Promise<void> {
		const found = await probe();
		if (state.value === 'reconnecting' || state.value === 'restarting') state.value = found;
	}

	async function compareBuild(): Promise<void> {
		outdated.value = await servedElsewise().catch(() => outdated.value);
	}

	return {
		state,
		outdated,
		crowded: computed(() => paused.value > 0),
		async pause(seconds) {
			paused.value += 1;
			await later(seconds * 1_000 + Math.random() * PAUSE_SPREAD_MS);
			paused.value -= 1;
		},
		up() {
			settle('connected');
			void compareBuild();
		},
		down() {
			if (state.value === 'reconnecting' || state.value === 'restarting') return;
			settle('reconnecting');
			void look();
			timer = setInterval(() => void look(), PROBE_PERIOD_MS);
		},
		connecting: () => settle('connecting'),
		loggedOut: () => settle('logged-out'),
	};
}
