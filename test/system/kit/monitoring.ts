import { connect } from 'socket.io-client';

import type { Rest } from './rest.ts';
import { member } from './rest.ts';

/** Hears the events `telemetry` of a device on Socket.IO `/monitoring`. */
export interface Monitoring {
	/** The newest value of a point; undefined before the first. */
	latest(point: string): unknown;
	stop(): Promise<void>;
}

const ANSWER_WITHIN_MS = 30_000;

/** @throws what the server refuses with. */
export async function monitor(rest: Rest, deviceUid: string): Promise<Monitoring> {
	const socket = connect(`${rest.url}/monitoring`, {
		auth: { token: rest.token },
		transports: ['websocket'],
		forceNew: true,
	});
	const values = new Map<string, unknown>();
	socket.on('telemetry', (event: { readonly data: object }) => {
		for (const [point, value] of Object.entries(event.data)) values.set(point, value);
	});
	try {
		const answer: unknown = await socket
			.timeout(ANSWER_WITHIN_MS)
			.emitWithAck('subscribe_device', { device_uid: deviceUid });
		if (member(answer, 'success') !== true) throw new Error(`subscribe_device: ${JSON.stringify(answer)}`);
	} catch (error) {
		socket.disconnect();
		throw error;
	}
	return {
		latest: (point) => values.get(point),
		async stop() {
			socket.disconnect();
		},
	};
}
