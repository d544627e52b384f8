import { isDeepStrictEqual } from 'node:util';

import type { Device } from '../device/device.ts';
import type { SetTimer } from '../journal/set-timer.ts';
import { type Clock, type EpochMs, epochMs, toIso } from '../kernel/clock.ts';
import { Fault, messageOf, notFound } from '../kernel/fault.ts';
import { createGate } from '../kernel/gate.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import { createTurns } from '../kernel/turns.ts';
import {
	type Command,
	type CommandChange,
	type CommandDraft,
	type CommandStatus,
	type FinalStatus,
	isOpen,
	type OpenStatus,
	TRANSITIONS,
} from './command.ts';
import { createCommandIds } from './command-id.ts';
import type { CommandRepository } from './command-repository.ts';

export interface CommandLimits {
	/** Commands of one device that are not final. */
	readonly openPerDevice: number;
	/** Of all devices. */
	readonly open: number;
	/** Open and final, of all devices. */
	readonly all: number;
}

const DEFAULT_LIMITS: CommandLimits = { openPerDevice: 100, open: 5_000, all: 20_000 };

/** Time between two looks at what has expired, while anything is open, ms. */
const SWEEP_MS = 1_000;

/** New commands that may wait for the disk at once. */
const WAITING_COMMANDS = 500;

/** What other features hear of commands. Must not throw and must not block. */
export interface CommandListener {
	/** Durable in the queue, pending. */
	readonly queued?: (command: Command) => void;
	/** Its status has changed, and is durable. */
	readonly changed?: (command: Command) => void;
}

export interface CommandServiceDeps {
	readonly commands: CommandRepository;
	/** @throws Fault `rule-violation` for what this device does not take; asked before a command is queued. */
	readonly assertFits: (device: Device, draft: CommandDraft) => void;
	/** Until when the outcome is awaited; on a hub longer than the command lives, once a gateway may have it. */
	readonly awaitedUntil?: (command: Command) => EpochMs;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	readonly log: Logger;
	readonly limits?: CommandLimits;
}

/** A command as the hub hands it on. */
export type HandedOn = Pick<Command, 'id' | 'name' | 'payload' | 'expiresAt'> & { readonly email: string };

/** Numbers since the start, and of the queue as it is. */
export interface CommandStats {
	readonly open: Readonly<Record<OpenStatus, number>>;
	readonly finished: Readonly<Record<FinalStatus, number>>;
}

const EXPIRY: Readonly<Record<OpenStatus, string>> = {
	pending: 'the device could not be reached in time',
	sent: 'the device took it and did not answer in time',
};

const whyExpired = ({ status, expiresAt }: Command): string =>
	`${EXPIRY[status === 'sent' ? 'sent' : 'pending']} (until ${toIso(expiresAt)})`;

/** The command queue of a box: one for REST, Socket.IO, MQTT and the link. What it confirms is durable. */
export function createCommandService({
	commands,
	assertFits,
	awaitedUntil = ({ expiresAt }) => expiresAt,
	clock,
	setTimer,
	log,
	limits = DEFAULT_LIMITS,
}: CommandServiceDeps) {
	const newId = createCommandIds(clock, commands.lastId());
	const listeners = new Set<CommandListener>();
	const gate = createGate({ what: 'new commands', parallel: 1, waiting: WAITING_COMMANDS });
	const finished: Record<FinalStatus, number> = { executed: 0, failed: 0, expired: 0 };
	/** Since when this process knows each open command, in the time that nobody sets. */
	const knownSinceMs = new Map<string, number>();
	let cancelSweep: (() => void) | null = null;
	let isStopped = false;

	/** One write after the other, so that each sees the status before it. */
	const { run: inTurn, settled } = createTurns();

	function tell(event: keyof CommandListener, command: Command): void {
		for (const listener of listeners) listener[event]?.(command);
	}

	function noteFinal({ id, status }: Command): void {
		if (status === 'pending' || status === 'sent') return;
		finished[status] += 1;
		knownSinceMs.delete(id);
	}

	function knownForMs(id: string): number {
		const nowMs = clock.monotonicMs();
		const sinceMs = knownSinceMs.get(id) ?? nowMs;
		knownSinceMs.set(id, sinceMs);
		return nowMs - sinceMs;
	}

	/** A clock that is set back makes no command live longer. */
	function hasRunOut(command: Command): boolean {
		const until = awaitedUntil(command);
		return knownForMs(command.id) >= until - command.createdAt || until <= clock.now();
	}

	function assertRoom(device: Device): void {
		const ofDevice = commands.open(device.id).length;
		if (ofDevice >= limits.openPerDevice)
			throw new Fault(
				'rule-violation',
				`${ofDevice} commands of device ${device.uid} are open already; it takes no more`,
			);
		if (commands.openCount() >= limits.open || commands.count() >= limits.all)
			throw new Fault('rule-violation', 'the command queue of this box is full');
	}

	async function add(command: Command): Promise<Command> {
		await commands.put([command]);
		noteFinal(command);
		if (isOpen(command)) {
			knownForMs(command.id);
			tell('queued', command);
		}
		sweepSoon();
		return command;
	}

	async function create(device: Device, draft: CommandDraft, actor: Command['actor']): Promise<Command> {
		assertRoom(device);
		const now = clock.now();
		return add({
			id: newId(),
			device: device.id,
			tenantId: device.tenantId,
			name: draft.name,
			payload: draft.payload,
			status: 'pending',
			actor: { userId: actor.userId, email: actor.email },
			origin: 'local',
			createdAt: now,
			expiresAt: epochMs(now + draft.ttlMs),
			acceptedAt: null,
			sentAt: null,
			executedAt: null,
			error: null,
			result: null,
			attempts: 0,
		});
	}

	/** Why a command that was handed on is not taken; `null` when it is. */
	function refusalOf(device: Device, { name, payload, expiresAt }: HandedOn): Pick<Command, 'status' | 'error'> | null {
		const now = clock.now();
		if (expiresAt <= now) return { status: 'expired', error: 'it came to the gateway too late' };
		try {
			assertFits(device, { name, payload, ttlMs: expiresAt - now });
			assertRoom(device);
			return null;
		} catch (error) {
			if (!(error instanceof Fault)) throw error;
			return { status: 'failed', error: error.message };
		}
	}

	async function accept(device: Device, handedOn: HandedOn): Promise<Command> {
		const known = commands.find(handedOn.id);
		if (known !== null) return known;
		const now = clock.now();
		const { id, name, payload, expiresAt, email } = handedOn;
		return add({
			id,
			device: device.id,
			tenantId: device.tenantId,
			name,
			payload,
			status: 'pending',
			actor: { userId: null, email },
			origin: 'hub',
			createdAt: now,
			expiresAt,
			acceptedAt: now,
			sentAt: null,
			executedAt: null,
			error: null,
			result: null,
			attempts: 0,
			...refusalOf(device, handedOn),
		});
	}

	async function show(command: Command): Promise<void> {
		const known = commands.find(command.id);
		if (known !== null && isDeepStrictEqual(known, command)) return;
		await commands.put([command]);
	}

	function changed(before: Command, change: CommandChange): Command | null {
		const status = change.status ?? before.status;
		if (status !== before.status && !TRANSITIONS[before.status].includes(status)) return null;
		const sentAt =
			status === 'sent' ? (change.sentAt ?? before.sentAt ?? clock.now()) : (change.sentAt ?? before.sentAt);
		const executedAt = status === 'executed' ? (change.executedAt ?? before.executedAt ?? clock.now()) : null;
		return { ...before, ...change, status, sentAt, executedAt };
	}

	async function save(before: Command, after: Command): Promise<void> {
		await commands.put([after]);
		if (after.status === before.status) return;
		noteFinal(after);
		tell('changed', after);
	}

	async function advance(id: string, change: CommandChange): Promise<Command | null> {
		const before = commands.find(id);
		if (before === null || !isOpen(before)) return null;
		const after = changed(before, change);
		if (after !== null) await save(before, after);
		return after;
	}

	function get(device: DeviceId, id: string): Command {
		const command = commands.find(id);
		if (command === null || command.device !== device) throw notFound('command', id);
		return command;
	}

	async function update(device: DeviceId, id: string, change: CommandChange & { readonly status: CommandStatus }) {
		const before = get(device, id);
		if (before.origin === 'gateway')
			throw new Fault('rule-violation', `command ${id} was made at its gateway: change it there`);
		// Saying once more what is known already changes nothing.
		if (change.status === before.status || (change.status === 'failed' && before.status === 'expired')) return before;
		const after = changed(before, change);
		if (after === null)
			throw new Fault('state-conflict', `command ${id} is ${before.status} and cannot become ${change.status}`);
		await save(before, after);
		return after;
	}

	async function finishAll(which: (command: Command) => boolean, end: (command: Command) => CommandChange) {
		const before = commands.open().filter(which);
		if (before.length === 0) return;
		const after = before.map((command): Command => Object.assign({}, command, end(command)));
		await commands.put(after);
		for (const command of after) {
			noteFinal(command);
			tell('changed', command);
		}
	}

	const expire = (): Promise<void> =>
		inTurn(() => finishAll(hasRunOut, (command) => ({ status: 'expired', error: whyExpired(command) })));

	function sweep(): void {
		cancelSweep = null;
		expire()
			.catch((error: unknown) => log.error('commands-not-expired', { reason: messageOf(error) }))
			.finally(sweepSoon);
	}

	function sweepSoon(): void {
		if (isStopped || cancelSweep !== null || commands.openCount() === 0) return;
		cancelSweep = setTimer(sweep, SWEEP_MS);
	}

	sweepSoon();

	return {
		/**
		 * Queues a command; durable when it resolves. Who may is the caller's business.
		 * @throws Fault `rule-violation` (the device does not take it, its queue is full), `unavailable` (too many at once)
		 */
		async create(device: Device, draft: CommandDraft, actor: Command['actor']): Promise<Command> {
			assertFits(device, draft);
			return gate.run(() => inTurn(() => create(device, draft, actor)));
		},
		/**
		 * Takes a command of the hub, once: a known id is answered with its present state. One that this gateway cannot carry out is kept as
		 * failed or expired, and so is not carried out when it comes again.
		 */
		accept: (device: Device, handedOn: HandedOn): Promise<Command> => inTurn(() => accept(device, handedOn)),
		/** Keeps a command of a gateway, of origin `gateway`, to be shown; one that is the same already changes nothing. Durable when it resolves. */
		show: (command: Command): Promise<void> => inTurn(() => show(command)),
		/** @throws Fault `not-found`, also for a command of another device */
		get,
		find: (id: string): Command | null => commands.find(id),
		/** Open ones in the order in which they were made; of one device, or of all. */
		open: (device?: DeviceId): readonly Command[] => commands.open(device),
		/** Newest first, those that were made before the command `before`. */
		newest: (device: DeviceId, before: string | null, limit: number): readonly Command[] =>
			commands.newest(device, before, limit),
		/**
		 * A person's or a polling device's word on the status; durable when it resolves. The status it has already changes nothing.
		 * @throws Fault `not-found`, `state-conflict`
		 */
		update: (
			device: DeviceId,
			id: string,
			change: CommandChange & { readonly status: CommandStatus },
		): Promise<Command> => inTurn(() => update(device, id, change)),
		/** What a delivery found out; `null` when the command is gone or final, or the status cannot follow: then nothing changed. */
		advance: (id: string, change: CommandChange): Promise<Command | null> => inTurn(() => advance(id, change)),
		/** Fails what is open of a device that is gone. */
		fail: (device: DeviceId, error: string): Promise<void> =>
			inTurn(() =>
				finishAll(
					(command) => command.device === device,
					() => ({ status: 'failed', error }),
				),
			),
		/** Adds a listener; answers how to remove it. */
		listen(listener: CommandListener): () => void {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
		stats(): CommandStats {
			const open = commands.open();
			const sent = open.filter(({ status }) => status === 'sent').length;
			return { open: { pending: open.length - sent, sent }, finished: { ...finished } };
		},
		async stop(): Promise<void> {
			isStopped = true;
			cancelSweep?.();
			await settled();
		},
	};
}

export type CommandService = ReturnType<typeof createCommandService>;
