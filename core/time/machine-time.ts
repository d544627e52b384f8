import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, readdir, readFile } from 'node:fs/promises';

import type { SetTimer } from '../journal/set-timer.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { SystemTime } from './system-time.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const RTC_CLASS = '/sys/class/rtc';
/** Made by systemd-timesyncd when it has set the clock in this boot. */
const TIMESYNC_MARK = '/run/systemd/timesync/synchronized';
const ASK_MS = 10_000;
const COMMAND_TIMEOUT_MS = 2_000;
/** The command costs a process: it is asked once in so many times. */
const COMMAND_EVERY = 6;

/** What `timedatectl` says of the kernel's flag, which every time service sets; `null` where it is not there. */
const askTimedatectl = (): Promise<boolean | null> =>
	new Promise((resolve) => {
		const question = ['show', '--property=NTPSynchronized', '--value'];
		execFile('timedatectl', question, { timeout: COMMAND_TIMEOUT_MS }, (error, answer) => {
			const said = answer.trim();
			resolve(error !== null || (said !== 'yes' && said !== 'no') ? null : said === 'yes');
		});
	});

const exists = (path: string): Promise<boolean> =>
	access(path).then(
		() => true,
		() => false,
	);

const rtcIsThere = (): Promise<boolean | null> =>
	readdir(RTC_CLASS).then(
		(names) => names.length > 0,
		() => null,
	);

/** Too small when the process was stopped between the two clocks. */
const originMs = (): number => Number(process.hrtime.bigint()) / 1e6 - systemClock.monotonicMs();

/** The time service and the boot of this machine; on a system that does not tell, what is unknown stays unknown. */
export async function openMachineTime({ setTimer }: { readonly setTimer: SetTimer }): Promise<SystemTime & Stoppable> {
	const bootId = (await readFile(BOOT_ID, 'utf8').catch(() => '')).trim();
	const hasRtc = await rtcIsThere();
	let isSynchronized: boolean | null = null;
	let round = 0;
	let isStopped = false;
	let cancel: (() => void) | null = null;
	let asking: Promise<void> = Promise.resolve();

	async function ask(): Promise<void> {
		if (await exists(TIMESYNC_MARK)) isSynchronized = true;
		else if (round % COMMAND_EVERY === 0) isSynchronized = await askTimedatectl();
		round += 1;
		if (!isStopped) cancel = setTimer(next, ASK_MS);
	}

	function next(): void {
		asking = ask();
	}

	next();
	await asking;
	return {
		// CLOCK_MONOTONIC is one for all processes of a boot.
		boot:
			bootId === ''
				? { bootId: randomUUID(), originMs: 0 }
				: { bootId, originMs: Math.max(originMs(), originMs(), originMs()) },
		hasRtc,
		isSynchronized: () => isSynchronized,
		async stop() {
			isStopped = true;
			await asking;
			cancel?.();
		},
	};
}
