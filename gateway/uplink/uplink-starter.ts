import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { backoffMs } from '../../core/kernel/retry.ts';
import { enrolWithHub } from './enrol.ts';
import type { UplinkStore } from './uplink-store.ts';
import type { Uplink } from './uplink.ts';

const FIRST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 60_000;

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
	/** Enrols now, as the installer asked. @throws Fault */
	enrol(hubUrl: string, code: string): Promise<void>;
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

	async function enrol(url: string, code: string): Promise<void> {
		const enrolment = await enrolWithHub({ gatewayId: store.gatewayId(), name, hubUrl: url, code });
		if (isStopped) return;
		await uplink.enrolled(enrolment);
		problem = null;
		log.info('enrolled', { hub: new URL(url).host });
	}

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
