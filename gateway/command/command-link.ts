import { Fault } from '../../core/kernel/fault.ts';
import { type CommandReport, linkMessage } from '../../core/link/link-messages.ts';
import type { UplinkFeature, UplinkSend } from '../../core/link/link-feature.ts';
import type { createHubCommands } from './hub-commands.ts';

/** Reports that wait for a session; with more, the oldest is given up: the hub asks where its commands stand. */
const WAITING_REPORTS = 200;

interface Waiting {
	readonly report: CommandReport;
	readonly resolve: () => void;
	readonly reject: (error: unknown) => void;
}

const hand = (by: UplinkSend, report: CommandReport): Promise<void> => by('commands', linkMessage('commands', report));

/** The way of commands over the link: what the hub says goes to them, and what they report goes up as soon as a session has begun. */
export function createCommandLink() {
	let send: UplinkSend | null = null;
	let waiting: Waiting[] = [];

	function wait(report: CommandReport): Promise<void> {
		return new Promise((resolve, reject) => {
			waiting.push({ report, resolve, reject });
			if (waiting.length > WAITING_REPORTS)
				waiting.shift()?.reject(new Fault('unreachable', 'the hub has not been connected for too long'));
		});
	}

	return {
		/** Resolves when the hub has heard it. @throws Fault `unreachable` or `timeout` when it has not */
		report: (report: CommandReport): Promise<void> => (send === null ? wait(report) : hand(send, report)),
		feature: ({
			received,
			linkUp,
		}: Pick<ReturnType<typeof createHubCommands>, 'received' | 'linkUp'>): UplinkFeature => ({
			hears: { command: received },
			async begin(by, signal) {
				send = by;
				signal.addEventListener('abort', () => {
					if (send === by) send = null;
				});
				const reports = waiting;
				waiting = [];
				for (const { report, resolve, reject } of reports) hand(by, report).then(resolve, reject);
				linkUp();
			},
		}),
	};
}
