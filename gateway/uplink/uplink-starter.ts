import { Fault, messageOf } from '../../core/kernel/fault.ts';
import { createGate } from '../../core/kernel/gate.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { backoffMs } from '../../core/kernel/retry.ts';
import { enrolWithHub } from './enrol.ts';
import type { UplinkStore } from './uplink-store.ts';
import type { Uplink } from './uplink.ts';

const FIRST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 60_000;
const MAX_WAITING = 4;

export interface UplinkStarterDeps {
	readonly uplink: Pick<Uplink, 'enrolled'>;
	readonly store: Pick<UplinkStore, 'gatewayId' | 'enrolment'>;
	readonly settings: {
		readonly hubUrl: string;
		readonly enrolmentCode: string;
	};
	readonly name: string;
	readonly log: Logger;
}

export interface UplinkStarter extends Stoppable {
	/** Enrols now, as the installer asked. @throws Fault; `state-conflict` while there is a hub: it has to be left first */
	enrol(hubUrl: string, code: string): Promise<void>;
	/** Leaves the hub: forgets it, the key and the certificate. @throws Fault `state-conflict` without a hub */
	leave(): Promise<void>;
	/** Unattended set-up: enrols with the code of the settings, when there is one and this gateway has no hub yet. */
	start(): void;
	/** Why the unattended enrolment did not work so far; `null` when it did, or was not asked for. */
	problem(): string | null;
}

/** Brings this gateway to its hub: by hand, or from the settings until the hub answers. */
export function createUplinkStarter({ uplink, store, settings, name, log }: UplinkStarterDeps): UplinkStarter {
	const { hubUrl, enrolmentCode } = settings;
	let timer: NodeJS.Timeout | null = null;
	let isStopped = false;
	let problem: string | null = null;

	/** One after the other: the hub's last answer has to be the one that counts here. */
	const gate = createGate({ what: 'enrolments', parallel: 1, waiting: MAX_WAITING });

	async function enrolOnce(url: string, code: string): Promise<void> {
		if (store.enrolment() !== null)
			throw new Fault('state-conflict', 'this gateway has a hub; it has to leave that one first');
		const enrolment = await enrolWithHub({ gatewayId: store.gatewayId(), name, hubUrl: url, code });
		if (isStopped) return;
		await uplink.enrolled(enrolment);
		problem = null;
		log.info('enrolled', { hub: new URL(url).host });
	}

	const enrol = (url: string, code: string): Promise<void> => gate.run(() => enrolOnce(url, code));

	const leave = (): Promise<void> =>
		gate.run(async () => {
			if (store.enrolment() === null) throw new Fault('state-conflict', 'this gateway has no hub');
			await uplink.enrolled(null);
			log.info('hub-left');
		});

	function attempt(number: number): void {
		timer = null;
		enrol(hubUrl, enrolmentCode).catch((error: unknown) => {
			const isFinal = error instanceof Fault && error.reason !== 'unreachable';
			problem = messageOf(error);
			log.warn('not-enrolled', { hub: hubUrl, reason: problem, isFinal });
			if (!isFinal && !isStopped)
				timer = setTimeout(() => attempt(number + 1), backoffMs(number, FIRST_RETRY_MS, MOST_RETRY_MS));
		});
	}

	return {
		enrol,
		leave,
		problem: () => problem,
		start() {
			if (hubUrl !== '' && enrolmentCode !== '' && store.enrolment() === null) attempt(1);
		},
		async stop() {
			isStopped = true;
			if (timer !== null) clearTimeout(timer);
		},
	};
}
