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
	/** There may be something to do; a device that waits for its next turn keeps waiting. */
	wake(device: DeviceId): void;
	/** What a device waited for may be there: its turn comes at once. */
	hurry(device: DeviceId): void;
	readonly isStopped: boolean;
}

export function createDeviceTurns({ run, setTimer, log }: DeviceTurnsDeps): DeviceTurns {
	const running = new Map<DeviceId, Promise<void>>();
	/** Woken during their turn, and hurried: what was passed over then may be possible now. */
	const wokenAgain = new Set<DeviceId>();
	const hurriedAgain = new Set<DeviceId>();
	const retries = new Map<DeviceId, () => void>();
	let isStopped = false;

	function wakeAfter(id: DeviceId, delayMs: number): void {
		if (isStopped) return;
		const cancel = setTimer(() => {
			retries.delete(id);
			begin(id);
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
		const isWoken = wokenAgain.delete(id);
		if (hurriedAgain.delete(id)) hurry(id);
		else if (isWoken) wake(id);
	}

	function begin(id: DeviceId): void {
		// The turn begins after it is noted as running.
		if (!isStopped) running.set(id, Promise.resolve(id).then(takeTurn));
	}

	function wake(id: DeviceId): void {
		if (running.has(id)) wokenAgain.add(id);
		else if (!retries.has(id)) begin(id);
	}

	function hurry(id: DeviceId): void {
		if (running.has(id)) {
			hurriedAgain.add(id);
			return;
		}
		retries.get(id)?.();
		retries.delete(id);
		begin(id);
	}

	return {
		wake,
		hurry,
		get isStopped() {
			return isStopped;
		},
		async stop() {
			isStopped = true;
			for (const cancel of retries.values()) cancel();
			retries.clear();
			const turns = Promise.all(running.values());
			await new Promise<void>((resolve) => {
				const cancel = setTimer(resolve, FINISH_MS);
				void turns.then(cancel).finally(resolve);
			});
		},
	};
}
