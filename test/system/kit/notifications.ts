import { connect } from 'socket.io-client';

import { type Rest, member } from './rest.ts';

/** Hears the events `notification` of its user on Socket.IO `/notification`. */
export interface Notifications {
	readonly received: readonly unknown[];
	stop(): Promise<void>;
}

const ANSWER_WITHIN_MS = 30_000;

/** @throws what the server refuses with. */
export async function notificationsOf(rest: Rest): Promise<Notifications> {
	const { body } = await rest.get('/api/v1/users/me');
	const socket = connect(`${rest.url}/notification`, {
		auth: { token: rest.token },
		transports: ['websocket'],
		forceNew: true,
	});
	const received: unknown[] = [];
	socket.on('notification', (event: unknown) => void received.push(event));
	const answer: unknown = await socket
		.timeout(ANSWER_WITHIN_MS)
		.emitWithAck('join_user_room', { user_id: member(body, 'id') });
	if (member(answer, 'success') !== true) {
		socket.disconnect();
		throw new Error(`join_user_room: ${JSON.stringify(answer)}`);
	}
	return {
		received,
		async stop() {
			socket.disconnect();
		},
	};
}
