import { type EventCase, refuses } from '../kit/event-case.ts';

/** Payloads that break their schema: each is acknowledged with the error. */
export const refusedPayloads = (
	id: string,
	namespace: string,
	event: string,
	payloads: readonly unknown[],
): readonly EventCase[] =>
	payloads.map((payload) =>
		refuses(id, `the payload ${JSON.stringify(payload) ?? 'nothing'}`, async (t, scene, { ack }) => {
			const client = await scene.realtime('manager', namespace);
			const answer = await client.ask(event, payload);
			t.deepEqual(ack?.(answer), []);
			t.like(answer, { success: false, error_code: 'VALIDATION_ERROR' });
		}),
	);
