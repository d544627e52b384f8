import type { ListenState } from '../http/listen.ts';
import type { JournalStats } from '../journal/journal.ts';
import type { Broker } from '../mqtt/mqtt.ts';
import type { Component } from '../system/health.ts';
import type { ProbedComponent } from '../system/monitoring-health.ts';

/** Whether what arrives can be kept. */
export const telemetryComponent = (journal: () => JournalStats): Component => ({
	name: 'telemetry',
	isEssential: true,
	state: () => {
		const { writeError } = journal();
		const reason = writeError === null ? null : `the journal cannot write: ${writeError}`;
		return { isConnected: reason === null, reason };
	},
});

/** Whether a port is listened on. */
export const listenerComponent = (name: string, isEssential: boolean, listener: () => ListenState): Component => ({
	name,
	isEssential,
	state: () => {
		const { state, reason } = listener();
		return { isConnected: state === 'listening', reason };
	},
});

/** A broker: it listens, and messages pass through it. */
export const brokerProbe = (listener: () => ListenState, broker: Pick<Broker, 'probe'>): ProbedComponent => ({
	isInUse: () => true,
	async probe() {
		const { state, reason } = listener();
		if (state !== 'listening') throw new Error(reason ?? state);
		await broker.probe();
		return null;
	},
});
