import { type Differences, schemaAt } from './conformance.ts';
import { followed, isTree, lookUp, pointerStep, readDocument, type Tree, treeAt } from './document.ts';

export const EVENT_DOCUMENT = 'device-platform.asyncapi.yaml';

/** An event of Socket.IO or a topic of MQTT, seen from the server. */
export interface EventOperation {
	readonly id: string;
	readonly action: 'receive' | 'send';
	/** A namespace (`/monitoring`), or the form of a topic (`devices/{uid}/telemetry`). */
	readonly address: string;
	readonly transport: 'socketio' | 'mqtt';
	/** Name of the event. */
	readonly name: string;
	/** The documented payload. */
	readonly example: unknown;
	readonly payload: Differences;
	/** Check of the acknowledgement; `null` where none is documented. */
	readonly ack: Differences | null;
}

/** Where a node really stands: its own pointer, or the one its `$ref` leads to. */
function pointerOf(document: Tree, pointer: string): string {
	const { $ref } = lookUp(document, pointer);
	return typeof $ref === 'string' ? pointerOf(document, $ref) : pointer;
}

function firstRef(nodes: unknown): string {
	const [first]: unknown[] = Array.isArray(nodes) ? nodes : [];
	const ref = isTree(first) ? first['$ref'] : undefined;
	if (typeof ref !== 'string') throw new Error('no $ref');
	return ref;
}

function eventOf(document: Tree, id: string, node: unknown): EventOperation {
	const { action, channel, messages, 'x-ack': ack } = followed(document, node);
	if (action !== 'receive' && action !== 'send') throw new Error(`${id}: ${String(action)}`);
	const { address } = followed(document, channel);
	const messagePointer = pointerOf(document, firstRef(messages));
	const message = lookUp(document, messagePointer);
	const [example]: unknown[] = Array.isArray(message['examples']) ? message['examples'] : [];
	return {
		id,
		action,
		address: String(address),
		transport: String(address).startsWith('/') ? 'socketio' : 'mqtt',
		name: String(message['name']),
		example: isTree(example) ? example['payload'] : undefined,
		payload: schemaAt(document, `${messagePointer}/payload`),
		ack: ack === undefined ? null : schemaAt(document, `#/operations/${pointerStep(id)}/x-ack`),
	};
}

/** Every event and topic of an AsyncAPI document; the first message of each operation. */
export const eventsOf = (document: Tree): readonly EventOperation[] =>
	Object.entries(treeAt(document, 'operations')).map(([id, node]) => eventOf(document, id, node));

/** Every event and topic of the contract. */
export const readEvents = (): readonly EventOperation[] => eventsOf(readDocument(EVENT_DOCUMENT));
