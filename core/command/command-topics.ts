import { fieldFault } from '../kernel/fault.ts';
import type { DeviceUid } from '../kernel/id.ts';
import { deviceRoot } from '../telemetry/telemetry-topics.ts';
import type { CommandDraft, CommandPayload } from './command.ts';

/** How commands of one name travel to a device over MQTT (reference 000). */
interface CommandRoute {
	/** Last level of the topic below `devices/{uid}/`. */
	readonly topic: 'command' | 'config' | 'ota';
	/** Whether the device answers on `devices/{uid}/response`; otherwise its PUBACK is all there is. */
	readonly isAnswered: boolean;
	readonly message: (command: { readonly id: string } & Pick<CommandDraft, 'name' | 'payload'>) => object;
	/** @throws Fault `rule-violation` naming the field of the payload */
	readonly check: (payload: CommandPayload) => void;
}

const isHttpUri = (text: unknown): boolean => {
	if (typeof text !== 'string' || !URL.canParse(text)) return false;
	return ['http:', 'https:'].includes(new URL(text).protocol);
};

function checkSettings(payload: CommandPayload): void {
	if (Object.keys(payload).length === 0)
		throw fieldFault('rule-violation', 'payload', 'configure needs at least one setting; found none');
}

function checkUrl({ url = null }: CommandPayload): void {
	if (!isHttpUri(url))
		throw fieldFault('rule-violation', 'payload.url', `must be an http or https URL; found ${JSON.stringify(url)}`);
}

const plain: CommandRoute = {
	topic: 'command',
	isAnswered: true,
	message: ({ id, name, payload }) => ({
		action: name,
		command_id: id,
		...(Object.keys(payload).length > 0 && { payload }),
	}),
	check: () => undefined,
};

/** Names with a topic of their own; every other name goes to `devices/{uid}/command`. */
const routes: ReadonlyMap<string, CommandRoute> = new Map([
	['configure', { topic: 'config', isAnswered: false, message: ({ payload }) => payload, check: checkSettings }],
	[
		'update_firmware',
		{
			topic: 'ota',
			isAnswered: true,
			message: ({ id, payload }) => ({ ...payload, action: 'update', command_id: id }),
			check: checkUrl,
		},
	],
]);

export const commandRoute = (name: string): CommandRoute => routes.get(name) ?? plain;

export const commandTopic = (uid: DeviceUid, route: Pick<CommandRoute, 'topic'>): string =>
	`${deviceRoot(uid)}/${route.topic}`;
