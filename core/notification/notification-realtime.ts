import Joi from 'joi';

import { Fault } from '../kernel/fault.ts';
import type { RealtimeServer } from '../realtime/realtime-server.ts';
import type { Notification, NotificationChannel } from './notification.ts';

export interface NotificationRealtimeDeps {
	readonly realtime: Pick<RealtimeServer, 'namespace' | 'on' | 'cutSlow'>;
}

const userRef = Joi.object<{ user_id: string }>({
	user_id: Joi.string().guid({ separator: '-' }).lowercase().required(),
}).options({ stripUnknown: true });

const view = ({ title, message, type, alertId, deviceUid }: Notification) => ({
	title,
	message,
	type,
	...(alertId === undefined ? {} : { alert_id: alertId }),
	...(deviceUid === undefined ? {} : { device_uid: deviceUid }),
});

/** Namespace `/notification`: a room for each user, which only that user may join. */
export function createNotificationRealtime({ realtime }: NotificationRealtimeDeps): NotificationChannel {
	const namespace = realtime.namespace('/notification');
	const { rooms } = namespace.adapter;

	namespace.on('connection', (socket) => {
		realtime.on(socket, 'join_user_room', userRef, ({ user_id: userId }, actor) => {
			if (userId !== actor.userId) throw new Fault('forbidden', `user_id: ${userId} is another user`);
			void socket.join(userId);
		});
	});

	return (userIds, notification) => {
		const present = userIds.filter((userId) => rooms.has(userId));
		if (present.length === 0) return;
		namespace.to(present).emit('notification', view(notification));
		for (const userId of present) realtime.cutSlow(namespace, userId);
	};
}
