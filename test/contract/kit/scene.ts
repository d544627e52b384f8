import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Role } from '../../../core/identity/role.ts';
import { member } from '../../system/kit/rest.ts';
import { waitFor } from '../../system/kit/wait-for.ts';
import { connectMqtt, type MqttPeer } from './mqtt-client.ts';
import { openStage } from './open-stage.ts';
import { connectRealtime, type RealtimeClient } from './realtime-client.ts';
import type { Stage } from './stage.ts';

/** A device that speaks MQTT, and how it is known. */
export interface FieldDevice {
	readonly id: string;
	readonly uid: string;
	readonly login: { readonly username: string; readonly password: string };
}

/**
 * Where events are looked at, and the field they come from: both on one gateway, or events at a hub and the field behind a gateway
 * that is enrolled there.
 */
export interface Scene {
	/** Whose events and REST are looked at. */
	readonly stage: Stage;
	/** The gateway that devices speak to. */
	readonly field: Stage;
	/** A device that speaks MQTT, known to both. */
	newDevice(): Promise<FieldDevice>;
	/** Its connection; all end with the scene. */
	mqtt(device: FieldDevice): Promise<MqttPeer>;
	/** A connection of somebody of this level to a namespace; all end with the scene. */
	realtime(role: Role, namespace: string, transport?: 'polling' | 'websocket'): Promise<RealtimeClient>;
	/** Waits until an answer of the stage satisfies, and returns it. */
	until(what: string, path: string, satisfies: (body: unknown) => boolean): Promise<unknown>;
	stop(): Promise<void>;
}

const KNOWN_WITHIN_MS = 45_000;
const ONLINE_WITHIN_MS = 45_000;

async function openField(role: 'gateway' | 'hub'): Promise<{ readonly stage: Stage; readonly field: Stage }> {
	// A code for enrolment is valid for a while only, so nothing here comes from long ago.
	const stage = await openStage(role, { clockShiftMs: 0 });
	if (role === 'gateway') return { stage, field: stage };
	try {
		const { httpPort, data } = stage.box;
		const field = await openStage('gateway', {
			clockShiftMs: 0,
			environment: {
				DRAWBRIDGE_UPLINK_HUB_URL: `http://127.0.0.1:${httpPort}`,
				DRAWBRIDGE_UPLINK_ENROLMENT_CODE: readFileSync(join(data, 'enrolment-code'), 'utf8').trim(),
			},
		});
		await waitFor('the gateway is online at the hub', ONLINE_WITHIN_MS, async () => {
			const { body } = await field.callAs('superadmin', 'GET', '/uplink');
			return member(body, 'state') === 'online';
		});
		return { stage, field };
	} catch (error) {
		await stage.box.stop();
		throw error;
	}
}

/** A gateway alone, or a hub with a gateway. */
export async function openScene(role: 'gateway' | 'hub'): Promise<Scene> {
	const { stage, field } = await openField(role);
	const endings: (() => Promise<void> | void)[] = [];

	const until: Scene['until'] = (what, path, satisfies) =>
		waitFor(what, KNOWN_WITHIN_MS, async () => {
			const { status, body } = await stage.callAs('superadmin', 'GET', path);
			return status === 200 && satisfies(body) ? body : null;
		});

	return {
		stage,
		field,
		until,
		async newDevice() {
			const uid = field.unique('field');
			const id = await field.newDevice(null, { device_uid: uid });
			const { status, text, body } = await field.callAs('superadmin', 'POST', `/devices/${id}/mqtt-credentials`);
			if (status !== 201) throw new Error(`no login: ${status} ${text}`);
			const login = { username: String(member(body, 'username')), password: String(member(body, 'password')) };
			await until('the device is known', `/devices/${uid}`, (known) => member(known, 'id') === id);
			return { id, uid, login };
		},
		async mqtt({ login }) {
			const peer = await connectMqtt(field.box.mqttPort, login);
			endings.push(() => peer.close());
			return peer;
		},
		async realtime(role_, namespace, transport = 'websocket') {
			const { accessToken } = await stage.people.of(role_);
			const client = await connectRealtime({
				port: stage.box.httpPort,
				namespace,
				options: { auth: { token: accessToken }, transports: [transport] },
			});
			endings.push(() => client.close());
			return client;
		},
		async stop() {
			for (const end of endings) await end();
			if (field !== stage) await field.box.stop();
			await stage.box.stop();
		},
	};
}
