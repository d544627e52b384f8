import type { Notification, NotificationChannel } from './notification.ts';

/** Tells people, over every channel there is. A notification is not kept: what must be seen is a record of its own, as an alert is. */
export function createNotificationService() {
	const channels: NotificationChannel[] = [];
	return {
		/** Never waits: each channel bounds what it holds for those who are slow. */
		notify(userIds: readonly string[], notification: Notification): void {
			if (userIds.length === 0) return;
			for (const channel of channels) channel(userIds, notification);
		},
		/** To be called while composing. */
		addChannel: (channel: NotificationChannel): void => void channels.push(channel),
	};
}

export type NotificationService = ReturnType<typeof createNotificationService>;
