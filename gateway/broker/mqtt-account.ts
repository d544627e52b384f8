import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

import type { MqttAccount } from '../../core/mqtt/mqtt.ts';
import { isBelow } from '../../core/mqtt/topic.ts';
import type { EpochMs } from '../../core/kernel/clock.ts';
import type { DeviceId, DeviceUid } from '../../core/kernel/id.ts';
import { deviceRoot, DEVICES_ROOT, deviceTopicOf } from '../../core/telemetry/telemetry-topics.ts';

/** Whom a login is for. `username`: the device's address, or the reader's name. */
export type Login = { readonly username: string } & (
	| { readonly kind: 'device'; readonly device: DeviceId }
	| { readonly kind: 'reader' }
);

/** A login of the local broker as it is kept: never the password itself. */
export type StoredAccount = Login & {
	/** SHA-256 of the password, hex. */
	readonly passwordHash: string;
	readonly createdAt: EpochMs;
};

/** Who a connection of the local broker is. */
export type LocalAccount = MqttAccount &
	(
		| { readonly kind: 'device'; readonly device: DeviceId; readonly uid: DeviceUid }
		/** A consumer on the LAN: hears all devices, says nothing. */
		| { readonly kind: 'reader' }
	);

/** A login in the only moment in which its password is known. */
export interface IssuedLogin {
	readonly username: string;
	readonly password: string;
}

const PASSWORD_BYTES = 24;

/** 192 random bits, in characters that need no escaping in any configuration file. */
export const newPassword = (): string => randomBytes(PASSWORD_BYTES).toString('base64url');

/**
 * SHA-256, once. A slow hash protects passwords that people think up, because those can be guessed; nobody guesses 192 random
 * bits, and a fleet that reconnects after a power cut is let in at once.
 */
export const hashPassword = (password: string | Buffer): string => createHash('sha256').update(password).digest('hex');

/** Takes the same time wherever the two differ. */
export function isPassword(given: Buffer, passwordHash: string): boolean {
	return timingSafeEqual(Buffer.from(hashPassword(given), 'hex'), Buffer.from(passwordHash, 'hex'));
}

/** A device says what is its own on four topics; a reader says nothing. */
export const mayPublish = (account: LocalAccount, topic: string): boolean =>
	account.kind === 'device' && deviceTopicOf(account.uid, topic) !== null;

/** A device hears what is below its own root, a reader what is below `devices/`. */
export const maySubscribe = (account: LocalAccount, filter: string): boolean =>
	isBelow(account.kind === 'device' ? deviceRoot(account.uid) : DEVICES_ROOT, filter);
