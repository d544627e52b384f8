import type { DeviceListener } from '../../core/device/device-events.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import type { Device } from '../../core/device/device.ts';
import type { Actor } from '../../core/identity/role.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { duplicate, Fault, messageOf, notFound } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { MqttAccountRepository } from './mqtt-account-repository.ts';
import {
	hashPassword,
	type IssuedLogin,
	isPassword,
	type LocalAccount,
	type Login,
	newPassword,
	type StoredAccount,
} from './mqtt-account.ts';

export interface MqttAccountServiceDeps {
	readonly accounts: MqttAccountRepository;
	readonly devices: Pick<DeviceService, 'get' | 'find' | 'patch'>;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Told when a login has lost its validity: its connections have to end. */
export type RevocationListener = (username: string, why: string) => void;

const MAX_READERS = 100;

/** Who may log in to the local broker. */
export function createMqttAccountService({ accounts, devices, clock, log }: MqttAccountServiceDeps) {
	const listeners = new Set<RevocationListener>();

	function tellRevoked(username: string, why: string): void {
		for (const listener of listeners) listener(username, why);
	}

	async function issue(login: Login): Promise<IssuedLogin> {
		const password = newPassword();
		await accounts.put({ ...login, passwordHash: hashPassword(password), createdAt: clock.now() });
		return { username: login.username, password };
	}

	async function issueForDevice(reference: string, actor?: Actor): Promise<IssuedLogin> {
		const device = devices.get(reference, actor);
		if (device.connection?.driver === 'modbus')
			throw new Fault('rule-violation', `device ${device.uid} is read by Modbus; it has no MQTT login`);
		if (accounts.find(device.uid)?.kind === 'reader')
			throw new Fault('state-conflict', `there is a reader named ${device.uid}; remove it first`);
		// A device that is given a login is reached over MQTT from now on; whoever registered it by the references could not say so.
		if (device.connection === null) await devices.patch(device.id, { connection: { driver: 'mqtt' } });
		const login = await issue({ kind: 'device', username: device.uid, device: device.id });
		tellRevoked(device.uid, 'new credentials were issued');
		return login;
	}

	async function revoke(username: string, why: string): Promise<boolean> {
		const existed = await accounts.remove(username);
		if (existed) tellRevoked(username, why);
		return existed;
	}

	/**
	 * The login of a device that is deleted goes with it: a later device of the same address must not inherit it. So does that of a
	 * device that the gateway now reads itself.
	 */
	async function forget(device: Device): Promise<void> {
		const account = accounts.find(device.uid);
		if (account?.kind === 'device' && account.device === device.id)
			await revoke(device.uid, 'the device is no MQTT device any more');
	}

	return {
		/** Makes a login for a device; an earlier one and its connections end. @throws Fault `not-found`, `rule-violation`, `state-conflict` */
		issueForDevice,
		/** @throws Fault `not-found` */
		async revokeOfDevice(reference: string, actor?: Actor): Promise<void> {
			const { uid } = devices.get(reference, actor);
			if (accounts.find(uid)?.kind !== 'device' || !(await revoke(uid, 'the credentials were revoked')))
				throw notFound('MQTT login of device', uid);
		},
		/** Makes a login that may read all devices and write nothing. @throws Fault `duplicate`, `rule-violation` */
		async addReader(name: string): Promise<IssuedLogin> {
			if (accounts.find(name) !== null || devices.find(name) !== null) throw duplicate('name', name);
			if (accounts.all().filter(({ kind }) => kind === 'reader').length >= MAX_READERS)
				throw new Fault('rule-violation', `there are ${MAX_READERS} readers already`);
			return issue({ kind: 'reader', username: name });
		},
		readers: (): readonly StoredAccount[] => accounts.all().filter(({ kind }) => kind === 'reader'),
		/** @throws Fault `not-found` */
		async removeReader(name: string): Promise<void> {
			if (accounts.find(name)?.kind !== 'reader' || !(await revoke(name, 'the reader was removed')))
				throw notFound('MQTT reader', name);
		},
		/** Who these credentials belong to; `null` when they are wrong. */
		authenticate(username: string, password: Buffer): LocalAccount | null {
			const account = accounts.find(username);
			if (account === null || !isPassword(password, account.passwordHash)) return null;
			if (account.kind === 'reader') return { kind: 'reader', name: username };
			const device = devices.find(account.device);
			return device === null ? null : { kind: 'device', name: username, device: device.id, uid: device.uid };
		},
		/** To be added to the listeners of the device service. */
		device: {
			changed: (device) => {
				if (device.deletedAt === null && device.connection?.driver !== 'modbus') return;
				forget(device).catch((error: unknown) =>
					log.error('mqtt-login-not-revoked', { device: device.uid, reason: messageOf(error) }),
				);
			},
		} satisfies DeviceListener,
		onRevoked: (listener: RevocationListener): void => void listeners.add(listener),
	};
}

export type MqttAccountService = ReturnType<typeof createMqttAccountService>;
