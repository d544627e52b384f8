import type { SetTimer } from '../../core/journal/set-timer.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';

/** Longest wait at the stop for what is on its way. */
const FINISH_MS = 500;

export interface DeviceTurnsDeps {
	/** Does what there is to do for a device. @returns after how long it wants another turn, ms; `null`: when it is woken */
	readonly run: (device: DeviceId) => Promise<number | null>;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

/** Gives each device one turn at a time. */
export interface DeviceTurns extends Stoppable {
	/** There may be something to do. */
	wake(device: DeviceId): void;
	readonly isStopped: boolean;
}

export function createDeviceTurns({ run, setTimer, log }: DeviceTurnsDeps): DeviceTurns {
	const running = new Map<DeviceId, Promise<void>>();
	/** Woken during their turn: what was passed over then may be possible now. */
	const wokenAgain = new Set<DeviceId>();
	const retries = new Map<DeviceId, () => void>();
	let isStopped = false;

	function wakeAfter(id: DeviceId, delayMs: number): void {
		if (isStopped) return;
		retries.get(id)?.();
		const cancel = setTimer(() => {
			retries.delete(id);
			wake(id);
		}, delayMs);
		retries.set(id, cancel);
	}

	async function takeTurn(id: DeviceId): Promise<void> {
		try {
			const delayMs = await run(id);
			if (delayMs !== null) wakeAfter(id, delayMs);
		} catch (error) {
			log.error('command-turn-failed', { device: id, reason: messageOf(error) });
		}
		running.delete(id);
		if (wokenAgain.delete(id)) wake(id);
	}

	function wake(id: DeviceId): void {
		if (isStopped) return;
		if (running.has(id)) wokenAgain.add(id);
		// The turn begins after it is noted as running.
		else running.set(id, Promise.resolve(id).then(takeTurn));
	}

	return {
		wake,
		get isStopped() {
			return isStopped;
		},
		async stop() {
			isStopped = true;
			for (const cancel of retries.values()) cancel();
			retries.clear();
			await new Promise<void>((resolve) => {
				const cancel = setTimer(resolve, FINISH_MS);
				void Promise.all(running.values()).then(() => {
					cancel();
					resolve();
				});
			});
		},
	};
}
