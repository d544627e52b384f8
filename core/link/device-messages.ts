// oxlint-disable unicorn/no-thenable -- joi writes its conditions with a key named `then`
import Joi from 'joi';

import type { DeviceId } from '../kernel/id.ts';
import { DEVICE_PARTS, type DeviceDigest, DIGEST_DIGITS } from '../sync/device-digest.ts';
import { checkedLinkMessage } from './link-messages.ts';

/** First word of a session: what the gateway knows of its devices, in parts. */
export interface DevicesSummary {
	readonly type: 'summary';
	/** Made by the gateway, repeated by the hub. */
	readonly session: string;
	readonly digests: readonly string[];
}

/** All devices of a part that differs. */
export interface DevicesListed {
	readonly type: 'list';
	readonly session: string;
	readonly part: number;
	readonly devices: readonly DeviceDigest[];
}

/** The hub's answer to a summary. */
export interface DevicesDiffer {
	readonly type: 'differ';
	readonly session: string;
	readonly parts: readonly number[];
}

/** The hub's answer to a list: what it lacks, or has otherwise. */
export interface DevicesWanted {
	readonly type: 'wanted';
	readonly session: string;
	readonly part: number;
	readonly documents: readonly DeviceId[];
	/** Of these only the health. */
	readonly health: readonly DeviceId[];
}

export type DevicesUp = DevicesSummary | DevicesListed;
export type DevicesDown = DevicesDiffer | DevicesWanted;

/** Most devices of a part; as many documents as a hub takes of one gateway. */
const MAX_LISTED = 20_000;

const uuid = Joi.string().guid({ separator: '-' }).lowercase();
const session = uuid.required();
const digest = Joi.string().hex().length(DIGEST_DIGITS);
const part = Joi.number()
	.integer()
	.min(0)
	.max(DEVICE_PARTS - 1);
const ids = Joi.array().items(uuid).max(MAX_LISTED).required();

const up = Joi.object<DevicesUp>({
	type: Joi.valid('summary', 'list').required(),
	session,
	digests: Joi.when('type', { is: 'summary', then: Joi.array().items(digest).length(DEVICE_PARTS).required() }),
	part: Joi.when('type', { is: 'list', then: part.required() }),
	devices: Joi.when('type', {
		is: 'list',
		then: Joi.array()
			.items(Joi.object({ id: uuid.required(), document: digest.required(), health: digest.allow('').required() }))
			.max(MAX_LISTED)
			.required(),
	}),
});

const down = Joi.object<DevicesDown>({
	type: Joi.valid('differ', 'wanted').required(),
	session,
	parts: Joi.when('type', { is: 'differ', then: Joi.array().items(part).max(DEVICE_PARTS).required() }),
	part: Joi.when('type', { is: 'wanted', then: part.required() }),
	documents: Joi.when('type', { is: 'wanted', then: ids }),
	health: Joi.when('type', { is: 'wanted', then: ids }),
});

/** @throws Fault `rule-violation` naming the field and the rule */
export const parseDevicesUp = (payload: Uint8Array): DevicesUp => checkedLinkMessage('devices', up, payload);
/** @throws Fault `rule-violation` naming the field and the rule */
export const parseDevicesDown = (payload: Uint8Array): DevicesDown => checkedLinkMessage('devices', down, payload);

export const devicesMessage = (said: DevicesUp | DevicesDown): Buffer => Buffer.from(JSON.stringify(said));
