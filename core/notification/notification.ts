import type { DeviceUid } from '../kernel/id.ts';

/** News for people. */
export interface Notification {
	readonly title: string;
	/** One readable sentence. */
	readonly message: string;
	/** What it is about; for alerts their severity. */
	readonly type: string;
	readonly alertId?: string;
	readonly deviceUid?: DeviceUid;
}

/** A way to people: a page that is open, and whatever else may come. Must not throw or wait. */
export type NotificationChannel = (userIds: readonly string[], notification: Notification) => void;
