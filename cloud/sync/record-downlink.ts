import { type DeviceEdit, editOf } from '../../core/device/device-edits.ts';
import type { DeviceListener } from '../../core/device/device-events.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { HubLinkFeature, HubSend } from '../../core/link/link-feature.ts';
import {
	parseRecordsMessage,
	type RecordsBegin,
	recordsMessage,
	type RecordsTaken,
} from '../../core/link/record-messages.ts';
import { createFollower, type Follower, type RecordBatch, type RecordKind } from '../../core/sync/record-kind.ts';
import { receivedFrom, takeRecords } from '../../core/sync/take-records.ts';

export interface RecordDownlinkDeps {
	/** This hub. */
	readonly node: GatewayId;
	/** In the order in which they are told; alarms first. */
	readonly kinds: readonly RecordKind[];
	readonly send: HubSend;
	readonly clock: Pick<Clock, 'monotonicMs'>;
	readonly log: Logger;
	readonly repeatMs?: number;
}

export type RecordDownlink = HubLinkFeature &
	Stoppable & {
		/** To be added to the listeners of the device service. */
		readonly device: DeviceListener;
	};

/** A batch that its gateway has not taken for so long, though it is there, is said again: its disk may have refused. */
const REPEAT_MS = 30_000;

/** A gateway that has said where it stands. */
interface Session {
	readonly id: string;
	readonly follower: Follower;
	/** What it has been told and has not taken; one at a time. */
	said: { readonly batch: RecordBatch; readonly atMs: number } | null;
}

/** Records of the hub down to each gateway, those of gateways up; the counterpart of the gateway's record uplink. */
export function createRecordDownlink(deps: RecordDownlinkDeps): RecordDownlink {
	const { node, kinds, send, clock, log, repeatMs = REPEAT_MS } = deps;
	const sessions = new Map<GatewayId, Session>();
	let isAdvancing = false;

	function say(gateway: GatewayId, session: Session, batch: RecordBatch): void {
		session.said = { batch, atMs: clock.monotonicMs() };
		// It begins anew when it comes back.
		if (!send(gateway, 'records', recordsMessage({ type: 'changes', ...batch }))) sessions.delete(gateway);
	}

	function advance(gateway: GatewayId, session: Session): void {
		if (session.said !== null) return;
		const batch = session.follower.next();
		if (batch !== null) say(gateway, session, batch);
	}

	/** One look at the feeds for whatever came in one turn. */
	function advanceAll(): void {
		if (isAdvancing) return;
		isAdvancing = true;
		setImmediate(() => {
			isAdvancing = false;
			for (const [gateway, session] of sessions) advance(gateway, session);
		});
	}

	function begin(gateway: GatewayId, { session: id, received }: RecordsBegin): void {
		const session: Session = { id, follower: createFollower(kinds, gateway, received), said: null };
		sessions.set(gateway, session);
		const answer = recordsMessage({ type: 'begin', session: id, node, received: receivedFrom(kinds, gateway) });
		if (send(gateway, 'records', answer)) advance(gateway, session);
		else sessions.delete(gateway);
	}

	function taken(gateway: GatewayId, { session: id, kind, through }: RecordsTaken): void {
		const session = sessions.get(gateway);
		const batch = session?.said?.batch;
		if (session?.id !== id || batch?.kind !== kind || batch.through !== through) return;
		session.follower.taken(batch);
		session.said = null;
		advance(gateway, session);
	}

	async function hear(gateway: GatewayId, payload: Uint8Array): Promise<void> {
		const said = parseRecordsMessage(payload);
		switch (said.type) {
			case 'begin':
				begin(gateway, said);
				return;
			case 'changes':
				await takeRecords(kinds, said, gateway, log);
				return;
			case 'taken':
				taken(gateway, said);
				return;
			case 'devices':
				throw new Fault('rule-violation', 'records: devices of a gateway come as documents');
		}
	}

	function sayEdit(gateway: GatewayId, edit: DeviceEdit): void {
		send(gateway, 'records', recordsMessage({ type: 'devices', edits: [edit] }));
	}

	function repeat(): void {
		const before = clock.monotonicMs() - repeatMs;
		for (const [gateway, session] of sessions)
			if (session.said !== null && session.said.atMs < before) say(gateway, session, session.said.batch);
	}

	const timer = setInterval(repeat, repeatMs / 3).unref();
	const stopListening = kinds.map(({ feed }) => feed.listen(advanceAll));
	return {
		hears: { records: hear },
		// It says itself where it stands.
		begin: () => undefined,
		device: {
			// The documents of the next session tell again what it lacks.
			edited: (device) => device.gatewayId !== null && sayEdit(device.gatewayId, editOf(device)),
		},
		async stop() {
			clearInterval(timer);
			for (const stop of stopListening) stop();
			sessions.clear();
		},
	};
}
