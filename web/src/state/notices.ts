import { type ReadonlySignal, signal } from '@preact/signals';

import type { NotificationEvent } from '../wire.ts';

export interface Notice extends NotificationEvent {
	/** Unique on this page. */
	readonly key: number;
}

/** News that nobody has looked at yet. */
export interface Notices {
	/** The newest first. */
	readonly shown: ReadonlySignal<readonly Notice[]>;
	/** Counts what was heard and what was done about it: reasons to ask for alerts again. */
	readonly heard: ReadonlySignal<number>;
	readonly hear: (event: NotificationEvent) => void;
	/** An alert was acknowledged here. */
	readonly changed: () => void;
	readonly dismiss: (key: number) => void;
	readonly clear: () => void;
}

/** More of them hide the page; the list of alerts has all. */
const MOST = 5;

export function createNotices(): Notices {
	const shown = signal<readonly Notice[]>([]);
	const heard = signal(0);
	return {
		shown,
		heard,
		hear(event) {
			heard.value += 1;
			shown.value = [{ ...event, key: heard.value }, ...shown.value].slice(0, MOST);
		},
		changed() {
			heard.value += 1;
		},
		dismiss(key) {
			shown.value = shown.value.filter((notice) => notice.key !== key);
		},
		clear() {
			shown.value = [];
		},
	};
}
