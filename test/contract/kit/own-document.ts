import { schemaAt } from './conformance.ts';
import { followed, isTree, nameOf, type Operation, pointerStep, statusesOf, type Tree, treeAt } from './document.ts';
import { type Answer, send } from './http-client.ts';

/** What the product says of itself at `/api/openapi.json`. */
export interface OwnDocument {
	/** Where an answer differs from it. */
	differences(operation: Operation, answer: Answer): readonly string[];
	/** What the contract documents of the operation and the product does not. */
	gaps(operation: Operation): readonly string[];
}

const pathOf = ({ path }: Operation): string => `/api/v1${path}`;

/** @throws Error when it does not answer with a document */
export async function fetchOwnDocument(port: number): Promise<OwnDocument> {
	const { body } = await send(port, { method: 'GET', path: '/api/openapi.json' });
	if (!isTree(body)) throw new Error('/api/openapi.json is no document');
	const document = body;

	const operationIn = (operation: Operation): Tree =>
		treeAt(treeAt(treeAt(document, 'paths'), pathOf(operation)), operation.method.toLowerCase());

	function differences(operation: Operation, answer: Answer): readonly string[] {
		const node = treeAt(operationIn(operation), 'responses')[answer.status];
		if (!isTree(node)) return [`the product does not document ${answer.status}`];
		const { $ref } = node;
		const own = [
			'#',
			'paths',
			pointerStep(pathOf(operation)),
			operation.method.toLowerCase(),
			'responses',
			answer.status,
		];
		const pointer = typeof $ref === 'string' ? $ref : own.join('/');
		const content = followed(document, node)['content'];
		if (content === undefined) return answer.text === '' ? [] : [`the product documents no body of ${answer.status}`];
		const found = schemaAt(document, `${pointer}/content/${pointerStep('application/json')}/schema`)(answer.body);
		return found.map((text) => `own document, ${answer.status}: ${text}`);
	}

	function gaps(operation: Operation): readonly string[] {
		const { operationId, responses } = operationIn(operation);
		if (operationId !== operation.id) return [`${nameOf(operation)} is ${String(operationId)}, not ${operation.id}`];
		const documented = isTree(responses) ? responses : {};
		return statusesOf(operation)
			.filter((status) => !isTree(documented[status]))
			.map((status) => `${nameOf(operation)} does not document ${status}`);
	}

	return { differences, gaps };
}
