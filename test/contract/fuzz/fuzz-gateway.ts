import { claim } from '../../system/kit/rest.ts';
import { createStage, type Ending } from '../../system/kit/stage.ts';
import { isTree } from '../kit/document.ts';
import type { FuzzTarget } from './fuzz-run.ts';

/** A gateway as its own process, claimed, with the general limit of requests out of the way. */
export async function startFuzzGateway(test: Ending): Promise<FuzzTarget> {
	const stage = createStage(test);
	const gateway = await stage.spawnGateway({
		devices: [],
		settings: {
			http: { host: '127.0.0.1', port: 0, requests_per_second: 100_000 },
			identity: { access_token_minutes: 600 },
		},
	});
	const { token } = await claim(gateway.url(), await gateway.claimCode());
	const answer = await fetch(`${gateway.url()}/api/openapi.json`);
	const document: unknown = await answer.json();
	if (!isTree(document) || token === null) throw new Error('the gateway has no document');
	return { port: gateway.port('http_port'), pid: gateway.child().pid, token, document };
}
