import { randomUUID } from 'node:crypto';

import type { DeviceService } from '../../core/device/device-service.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { CarriedMessage, UplinkFeature, UplinkSend } from '../../core/link/link-feature.ts';
import {
	type DevicesEdited,
	parseDeviceEdit,
	parseRecordsMessage,
	type RecordsBegin,
	type RecordsChanged,
	recordsMessage,
} from '../../core/link/record-messages.ts';
import { createFollower, type Follower, MAX_RECORDS, type RecordKind } from '../../core/sync/record-kind.ts';
import { receivedFrom, takeRecords } from '../../core/sync/take-records.ts';

export type RecordUplink = UplinkFeature & Stoppable;

export interface RecordUplinkDeps {
	/** This gateway. */
	readonly node: GatewayId;
	/** In the order in which they are told; alarms first. */
	readonly kinds: readonly RecordKind[];
	readonly devices: Pick<DeviceService, 'takeEdit'>;
	readonly log: Logger;
	readonly answerWithinMs?: number;
	readonly retryMs?: number;
}

/** A hub that is connected and does not say where it stands: the line is made anew. */
const ANSWER_WITHIN_MS = 15_000;
const RETRY_MS = 1_000;

interface Session {
	readonly id: string;
	readonly hub: string;
	readonly send: UplinkSend;
	readonly signal: AbortSignal;
	readonly follower: Follower;
}

/**
 * Records of this gateway up, those of the hub down. Each side says where it stands in the feeds of the other, and is told what has
 * changed since; nothing counts as told before it is on the other's disk.
 */
export function createRecordUplink(deps: RecordUplinkDeps): RecordUplink {
	const { node, kinds, devices, log, answerWithinMs = ANSWER_WITHIN_MS, retryMs = RETRY_MS } = deps;
	let session: Session | null = null;
	let awaited: { readonly id: string; readonly answered: (begin: RecordsBegin) => void } | null = null;
	let isPumping = false;
	let pumped: Promise<void> = Promise.resolve();
	let isBehind = false;
	let retry: NodeJS.Timeout | null = null;
	let taking: Promise<void> = Promise.resolve();

	/** Begins with the hub's answer to our first word, in the turn in which it is heard: what the hub says next belongs to it. */
	function sessionOf(id: string, send: UplinkSend, signal: AbortSignal): Promise<Session> {
		return new Promise((resolve, reject) => {
			const isOver = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
			isOver.addEventListener(
				'abort',
				() => reject(new Fault('timeout', `the hub has not said where it stands for ${answerWithinMs} ms`)),
				{ once: true },
			);
			awaited = {
				id,
				answered({ node: hub, received }) {
					session = { id, hub, send, signal, follower: createFollower(kinds, hub, received) };
					resolve(session);
				},
			};
		});
	}

	async function tellAll({ send, signal, follower }: Session): Promise<void> {
		for (let batch = follower.next(); batch !== null && !signal.aborted; batch = follower.next()) {
			await send('records', recordsMessage({ type: 'changes', ...batch }));
			follower.taken(batch);
		}
	}

	async function pump(current: Session): Promise<void> {
		try {
			while (isBehind && !current.signal.aborted) {
				isBehind = false;
				await tellAll(current);
			}
		} catch (error) {
			if (current.signal.aborted) return;
			log.debug('records-not-told', { reason: messageOf(error) });
			retry ??= setTimeout(() => {
				retry = null;
				advance();
			}, retryMs).unref();
		} finally {
			// In the turn of the last look, so that nothing comes in between.
			isPumping = false;
		}
	}

	/** Something is new; one at a time tells it. */
	function advance(): void {
		isBehind = true;
		const current = session;
		if (current === null || isPumping || current.signal.aborted) return;
		isPumping = true;
		pumped = pump(current);
	}

	async function take(batch: RecordsChanged): Promise<void> {
		const current = session;
		if (current === null) return;
		await takeRecords(kinds, batch, current.hub, log);
		if (current.signal.aborted) return;
		const { kind, through } = batch;
		await current.send('records', recordsMessage({ type: 'taken', session: current.id, kind, through }));
	}

	async function takeEdits({ edits }: DevicesEdited): Promise<void> {
		for (const raw of edits) {
			try {
				await devices.takeEdit(parseDeviceEdit(raw));
			} catch (error) {
				// Until the documents of this gateway have it, the hub says it again.
				log.warn('device-edit-refused', { reason: messageOf(error) });
			}
		}
	}

	/** One message after the other; the hub repeats what was not taken. */
	function inTurn(work: () => Promise<void>): void {
		taking = taking.then(work).catch((error: unknown) => {
			log.warn('records-not-taken', { reason: messageOf(error) });
		});
	}

	function hear(payload: Uint8Array): void {
		const said = parseRecordsMessage(payload);
		switch (said.type) {
			case 'begin':
				if (awaited?.id === said.session) awaited.answered(said);
				return;
			case 'changes':
				inTurn(() => take(said));
				return;
			case 'devices':
				inTurn(() => takeEdits(said));
				return;
			case 'taken':
				throw new Fault('rule-violation', 'records: a hub takes with its PUBACK');
		}
	}

	/** From where the hub of the last session stood; all of it when nobody knows. Taken twice, it changes nothing. */
	function* carried(): Generator<CarriedMessage> {
		const hub = session?.hub ?? '';
		for (const { name, feed, changes } of kinds) {
			let after = feed.positions.acked(hub);
			for (let next = changes(after, MAX_RECORDS, hub); next.through > after; next = changes(after, MAX_RECORDS, hub)) {
				after = next.through;
				const batch: RecordsChanged = {
					type: 'changes',
					kind: name,
					feed: feed.id,
					through: after,
					records: next.picked,
				};
				if (next.picked.length > 0) yield { kind: 'records', payload: recordsMessage(batch) };
			}
		}
	}

	const stopListening = kinds.map(({ feed }) => feed.listen(advance));
	return {
		hears: { records: hear },
		carried,
		async begin(send, signal) {
			const id = randomUUID();
			const begun = sessionOf(id, send, signal);
			// Awaited below; it may fail while the first word is still on its way.
			begun.catch(() => undefined);
			// It does not know yet which hub this is: the feeds tell.
			const received = receivedFrom(kinds, null);
			await send('records', recordsMessage({ type: 'begin', session: id, node, received }));
			await tellAll(await begun);
			advance();
		},
		async stop() {
			for (const stop of stopListening) stop();
			if (retry !== null) clearTimeout(retry);
			session = null;
			await Promise.all([taking, pumped]);
		},
	};
}
