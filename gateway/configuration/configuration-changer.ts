import {
	type ConfigurationDocument,
	mergeConfigurations,
	touchedDevices,
} from '../../core/configuration/configuration.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import type { Device } from '../../core/device/device.ts';
import type { SetTimer } from '../../core/journal/set-timer.ts';
import { type Clock, epochMs } from '../../core/kernel/clock.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { ConfigOrder, ConfigOutcome, ConfigTrial, Overwritten } from '../../core/link/config-messages.ts';
import type { Change, ConfigurationStore, HeldRevision } from './configuration-store.ts';
import type { OwnConfiguration } from './own-configuration.ts';
import { createTrial } from './trial.ts';

export interface ConfigurationChangerDeps {
	readonly store: ConfigurationStore;
	readonly own: OwnConfiguration;
	readonly devices: Pick<DeviceService, 'find' | 'health' | 'all'>;
	/** A change is over, whatever became of it: logins of devices that are gone can go, and the hub can be told. */
	readonly settled: (change: Change) => void;
	/** Runs one after the other with everything else that changes the configuration. */
	readonly inTurn: (work: () => Promise<void>) => void;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

/** A revision under which the process was started so often without having reached the hub does it no good. */
const MOST_STARTS = 3;

const quiet = { mistakes: [], conflicts: [], overwritten: [] } as const;

/** What was before, with what somebody has changed at the box since. */
const wayBack = (
	{ before, target }: Pick<Change, 'before' | 'target'>,
	gateway: ConfigurationDocument,
): ConfigurationDocument =>
	mergeConfigurations({ base: target, gateway, hub: before.whole, decide: () => 'gateway' }).document;

export interface Beginning {
	readonly order: ConfigOrder;
	readonly next: HeldRevision;
	readonly target: ConfigurationDocument;
	/** What the gateway ran when the target was made. */
	readonly since: ConfigurationDocument;
	readonly overwritten: readonly Overwritten[];
}

/**
 * Puts configurations into force and takes them back. What is going on is on disk before it begins, so that a start after a power cut
 * knows what to do; each step may be done twice.
 */
export function createConfigurationChanger(deps: ConfigurationChangerDeps) {
	const { store, own, devices, clock, log } = deps;

	const trial = createTrial({
		setTimer: deps.setTimer,
		passed: () => deps.inTurn(keep),
		failed: (reason) => deps.inTurn(() => undo(reason)),
	});

	const outcomeOf = (
		{ order, undoneBy }: Change,
		outcome: ConfigOutcome['outcome'],
		reason: string | null,
	): ConfigOutcome => ({
		attempt: undoneBy ?? order.attempt,
		revision: order.revision,
		outcome,
		at: clock.now(),
		reason,
		...quiet,
	});

	async function note(change: Change): Promise<void> {
		await store.update((saved) => ({ ...saved, change }));
	}

	/** The trial was stood: there is no way back by itself any more. */
	async function keep(): Promise<void> {
		const { change } = store.get();
		if (change?.stage !== 'trial') return;
		const last = { ...outcomeOf(change, 'applied', null), overwritten: change.overwritten };
		const previous = { before: change.before, target: change.target };
		await store.update((saved) => ({ ...saved, previous, change: null, last }));
		log.info('configuration-kept', { revision: change.order.revision });
		deps.settled(change);
	}

	/** @param by the order of the hub that wants it */
	async function undo(reason: string, by: ConfigOrder | null = null): Promise<void> {
		const { change } = store.get();
		if (change === null) return;
		trial.end();
		log.warn('configuration-rolled-back', { revision: change.order.revision, reason });
		const undoing: Change = {
			...change,
			stage: 'undoing',
			reason: change.reason ?? reason,
			undoneBy: by?.attempt ?? change.undoneBy,
		};
		await note(undoing);
		const since = own.whole();
		const back = wayBack(undoing, since);
		await own.make(back, since);
		const last = outcomeOf(undoing, 'rolled-back', undoing.reason);
		const inForce = own.inForce(back);
		await store.update((saved) => ({
			...saved,
			running: change.before.running,
			inForce,
			// What was kept has one way back, which is used up.
			previous: change.order.kind === 'roll-back' ? null : saved.previous,
			change: null,
			last,
		}));
		await own.moveLink(change.target, back);
		deps.settled(undoing);
	}

	function watch({ order, mustWork }: Change): void {
		const awaited = mustWork.flatMap((uid): readonly (readonly [string, string])[] => {
			const device = devices.find(uid);
			return device === null ? [] : [[device.id, device.name]];
		});
		trial.begin({
			attempt: order.attempt,
			revision: order.revision,
			ms: order.trialMs,
			mustWork: new Map(awaited),
		});
	}

	/** Devices that work, and that the change may disturb. */
	function workingOnes(before: ConfigurationDocument, target: ConfigurationDocument): readonly string[] {
		const touched = touchedDevices(before, target);
		const isWorking = (device: Device): boolean => ['ok', 'degraded'].includes(devices.health(device).state);
		return devices.all().flatMap((device) => (touched.has(device.uid) && isWorking(device) ? [device.uid] : []));
	}

	async function begin({ order, next, target, since, overwritten }: Beginning): Promise<void> {
		const { running } = store.get();
		const before = { running, whole: own.whole() };
		const mustWork = order.requireDevices ? workingOnes(before.whole, target) : [];
		const at = clock.now();
		const change: Change = {
			stage: 'applying',
			order,
			before,
			target,
			overwritten,
			mustWork,
			starts: 0,
			at,
			reason: null,
			undoneBy: null,
		};
		await store.update((saved) => ({ ...saved, running: next, inForce: own.inForce(target), change }));
		log.info('configuration-applying', { revision: order.revision, author: order.author });
		try {
			await own.make(target, since);
			await note({ ...change, stage: 'trial' });
			watch(change);
			await own.moveLink(before.whole, target);
		} catch (error) {
			await undo(`revision ${order.revision} could not be put into force: ${messageOf(error)}`);
		}
	}

	return {
		trial,
		begin,
		undo,
		/** The change that is not over. */
		change: (): Change | null => store.get().change,
		onTrial(): ConfigTrial | null {
			const { change } = store.get();
			if (change?.stage !== 'trial') return null;
			const { order, at } = change;
			return { attempt: order.attempt, revision: order.revision, until: epochMs(at + order.trialMs) };
		},
		/**
		 * Leaves the present revision for what was before it, by the word of a person. @throws Fault `state-conflict` when there is no way back
		 */
		async goBack(order: ConfigOrder | null, reason: string): Promise<void> {
			const { change, previous, running, last } = store.get();
			if (change !== null) return undo(reason, order);
			if (previous === null || running === null)
				throw new Fault('state-conflict', 'there is nothing to go back to: the present configuration replaced none');
			const { revision, checksum } = running;
			await note({
				stage: 'undoing',
				order: order ?? {
					type: 'order',
					attempt: last?.attempt ?? 0,
					kind: 'roll-back',
					revision,
					checksum,
					author: '',
					prefer: null,
					decisions: {},
					discardDrift: false,
					trialMs: 1_000,
					requireDevices: false,
				},
				...previous,
				overwritten: [],
				mustWork: [],
				starts: 0,
				at: clock.now(),
				reason,
				undoneBy: null,
			});
			return undo(reason);
		},
		/** At a start, before anything is polled: ends what a power cut has interrupted. */
		async recover(): Promise<void> {
			const { change } = store.get();
			if (change === null) return;
			if (change.stage === 'trial' && change.starts < MOST_STARTS) {
				await note({ ...change, starts: change.starts + 1 });
				return;
			}
			const { revision } = change.order;
			await undo(
				change.stage === 'trial'
					? `under revision ${revision} the gateway was started ${MOST_STARTS} times without having reached the hub`
					: `the gateway was stopped while revision ${revision} was put into force`,
			);
		},
		/** After the start: the trial goes on, with its whole time, because nobody knows how long the box was off. */
		resume(): void {
			const { change } = store.get();
			if (change?.stage === 'trial') watch(change);
		},
	};
}

export type ConfigurationChanger = ReturnType<typeof createConfigurationChanger>;
