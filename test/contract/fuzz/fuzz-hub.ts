import { startEnrolled } from '../../system/kit/enrolled.ts';
import { createStage, type Ending } from '../../system/kit/stage.ts';
import { isTree, type Tree, treeAt } from '../kit/document.ts';
import { member } from '../../system/kit/rest.ts';
import type { FuzzTarget } from './fuzz-run.ts';

/** What would end the link to the gateway that all other requests are about. */
const PATH_OF_GATEWAY = '/api/v1/gateways/{gateway_id}';

/** Parameters of paths that name a gateway name this one. */
function about(gateway: string, value: unknown): unknown {
	if (Array.isArray(value)) return value.map((item) => about(gateway, item));
	if (!isTree(value)) return value;
	if (value['in'] === 'path' && value['name'] === 'gateway_id')
		return { ...value, schema: { type: 'string', enum: [gateway] } };
	return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, about(gateway, item)]));
}

function withoutRevocation(document: Tree): Tree {
	const paths = treeAt(document, 'paths');
	const { delete: _, ...kept } = treeAt(paths, PATH_OF_GATEWAY);
	return { ...document, paths: { ...paths, [PATH_OF_GATEWAY]: kept } };
}

/** A hub as its own process, with a gateway that is enrolled and connected: every request that names one is about it. */
export async function startFuzzHub(test: Ending): Promise<FuzzTarget> {
	const { hub, hubRest } = await startEnrolled(createStage(test), []);
	const answer = await fetch(`${hub.url()}/api/openapi.json`);
	const document: unknown = await answer.json();
	const { body } = await hubRest.get('/api/v1/gateways');
	const [gateway] = Array.isArray(body) ? body : [member(body, 'gateways')].flat();
	const asked = isTree(document) ? about(String(member(gateway, 'id')), withoutRevocation(document)) : null;
	if (!isTree(asked) || hubRest.token === null) throw new Error('the hub has no document');
	return { port: hub.port('http_port'), pid: hub.child().pid, token: hubRest.token, document: asked };
}
