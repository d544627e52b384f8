import test, { type ExecutionContext } from 'ava';

import { member } from '../system/kit/rest.ts';
import { schemaAt } from './kit/conformance.ts';
import { readDocument } from './kit/document.ts';
import { EVENT_DOCUMENT } from './kit/event-document.ts';
import type { HullRole } from './kit/box.ts';
import { openStage } from './kit/open-stage.ts';
import { connectRealtime, HandshakeRefused, type RealtimeClient } from './kit/realtime-client.ts';
import type { Stage } from './kit/stage.ts';

const NAMESPACES = ['/monitoring', '/device', '/notification'];
const TRANSPORTS = ['websocket', 'polling'];
const errorDifferences = schemaAt(readDocument(EVENT_DOCUMENT), '#/components/schemas/Error');

async function stageOf(t: ExecutionContext, role: HullRole): Promise<Stage> {
	const stage = await openStage(role);
	t.teardown(() => stage.box.stop());
	return stage;
}

type Options = Parameters<typeof connectRealtime>[0]['options'];

const knock = (stage: Stage, namespace: string, options: Options): Promise<RealtimeClient> =>
	connectRealtime({ port: stage.box.httpPort, namespace, options });

for (const role of ['gateway', 'hub'] as const) {
	test(`${role}: a handshake without a valid token is refused in every namespace, and says why`, async (t) => {
		const stage = await stageOf(t, role);
		const refused: Readonly<Record<string, Options>> = {
			NOT_AUTHENTICATED: {},
			INVALID_CREDENTIALS: { auth: { token: 'garbage' } },
			TOKEN_EXPIRED: { auth: { token: stage.expired.accessToken } },
		};
		for (const namespace of NAMESPACES)
			for (const transport of TRANSPORTS)
				for (const [code, options] of Object.entries(refused)) {
					const error = await t.throwsAsync(knock(stage, namespace, { ...options, transports: [transport] }), {
						instanceOf: HandshakeRefused,
					});
					t.deepEqual(errorDifferences(error.body), []);
					t.is(member(error.body, 'error_code'), code, `${namespace} over ${transport}`);
				}
		t.deepEqual(stage.box.errors(), []);
	});

	test(`${role}: a handshake carries its token in auth.token or in the Authorization header`, async (t) => {
		const stage = await stageOf(t, role);
		const { accessToken } = await stage.people.of('user');
		const accepted: readonly Options[] = [
			{ auth: { token: accessToken } },
			{ extraHeaders: { authorization: `Bearer ${accessToken}` } },
		];
		for (const namespace of NAMESPACES)
			for (const transport of TRANSPORTS)
				for (const options of accepted) {
					const client = await knock(stage, namespace, { ...options, transports: [transport] });
					client.close();
				}
		await t.throwsAsync(knock(stage, '/', accepted[0] ?? {}), { instanceOf: HandshakeRefused });
		await t.throwsAsync(knock(stage, '/no-such-namespace', accepted[0] ?? {}), { instanceOf: HandshakeRefused });
	});
}
