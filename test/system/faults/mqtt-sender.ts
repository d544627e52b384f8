import { randomBytes } from 'node:crypto';

import mqtt, { type MqttClient } from 'mqtt';

import type { Clock } from '../../../core/kernel/clock.ts';
import type { Stoppable } from '../../../core/kernel/lifecycle.ts';
import { setTimeout as sleep } from 'node:timers/promises';

/** One message of a device. Never published again: what became of it without an acknowledgement nobody knows. */
export interface SentMessage {
	readonly sentMs: number;
	/** When the gateway acknowledged it; null: it did not. */
	ackedMs: number | null;
}

/** An MQTT device that numbers its messages and notes which were acknowledged. */
export interface MqttSender extends Stoppable {
	readonly uid: string;
	/** By number; the message with number 0 comes first. */
	messages(): readonly SentMessage[];
	/** Resolves in the turn in which the next message goes out, or after `withinMs`. */
	nextPublish(withinMs: number): Promise<void>;
	/** Sends no more; waits for the acknowledgements that are still to come. */
	pause(): Promise<void>;
	resume(): void;
}

export interface MqttSenderOptions {
	readonly uid: string;
	readonly port: () => number;
	readonly username: string;
	readonly password: string;
	readonly periodMs: number;
	/** Random bytes of each message; they fill segments, so that something is sealed now and then. */
	readonly paddingBytes: number;
	readonly clock: Clock;
	/** Hears of each acknowledgement in the turn in which it came. */
	readonly acked?: (n: number) => void;
}

const RECONNECT_MS = 150;
const CONNECT_TIMEOUT_MS = 4_000;
/** Longer than a process is frozen here. */
const ACK_WITHIN_MS = 30_000;
const MAX_IN_FLIGHT = 16;

export function startMqttSender(options: MqttSenderOptions): MqttSender {
	const { uid, clock } = options;
	const topic = `devices/${uid}/telemetry`;
	const sent: SentMessage[] = [];
	const inFlight = new Set<Promise<void>>();
	const waiting = new Set<() => void>();
	const isEnding = new AbortController();
	let isPaused = false;
	let client: MqttClient | null = null;

	function publish(through: MqttClient): void {
		const n = sent.length;
		const message: SentMessage = { sentMs: clock.now(), ackedMs: null };
		sent.push(message);
		const payload = { n, unit: uid, padding: randomBytes(options.paddingBytes).toString('base64') };
		const outcome = new Promise<void>((resolve) => {
			const timer = setTimeout(() => through.end(true), ACK_WITHIN_MS);
			function settle(isAcked: boolean): void {
				clearTimeout(timer);
				through.off('close', lost);
				if (isAcked) {
					message.ackedMs = clock.now();
					options.acked?.(n);
				}
				resolve();
			}
			const lost = (): void => settle(false);
			through.once('close', lost);
			through.publish(topic, JSON.stringify(payload), { qos: 1 }, (error) =>
				settle(error === undefined || error === null),
			);
		}).finally(() => inFlight.delete(outcome));
		inFlight.add(outcome);
		for (const wake of waiting) wake();
	}

	/** A connection of its own after each loss, with an empty session: nothing of the one before is sent again. */
	async function connected(): Promise<MqttClient | null> {
		if (client?.connected === true) return client;
		client?.end(true);
		client = null;
		const fresh = mqtt.connect(`mqtt://127.0.0.1:${options.port()}`, {
			username: options.username,
			password: options.password,
			clientId: uid,
			clean: true,
			reconnectPeriod: 0,
			connectTimeout: CONNECT_TIMEOUT_MS,
			queueQoSZero: false,
		});
		fresh.setMaxListeners(MAX_IN_FLIGHT * 2);
		fresh.on('error', () => undefined);
		const isUp = await new Promise<boolean>((resolve) => {
			fresh.once('connect', () => resolve(true));
			fresh.once('close', () => resolve(false));
		});
		client = isUp ? fresh : null;
		if (!isUp) fresh.end(true);
		return client;
	}

	async function run(): Promise<void> {
		while (!isEnding.signal.aborted) {
			const through = isPaused || inFlight.size >= MAX_IN_FLIGHT ? null : await connected();
			if (through !== null && !isPaused) publish(through);
			const pauseMs = through === null ? RECONNECT_MS : options.periodMs;
			await sleep(pauseMs, undefined, { signal: isEnding.signal }).catch(() => undefined);
		}
	}

	const running = run();
	return {
		uid,
		messages: () => sent,
		nextPublish: (withinMs) =>
			new Promise((resolve) => {
				const timer = setTimeout(done, withinMs);
				function done(): void {
					clearTimeout(timer);
					waiting.delete(done);
					resolve();
				}
				waiting.add(done);
			}),
		async pause() {
			isPaused = true;
			await Promise.all(inFlight);
		},
		resume: () => void (isPaused = false),
		async stop() {
			isEnding.abort();
			client?.end(true);
			await running;
			client?.end(true);
		},
	};
}
