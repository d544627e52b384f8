import { setTimeout as sleep } from 'node:timers/promises';

import type { JournalPosition } from '../../core/journal/journal.ts';
import type { EpochMs } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import { createTurns } from '../../core/kernel/turns.ts';
import { countOf, type EpochRanges } from '../../core/ledger/range-set.ts';
import type { LossReason, StreamRange } from '../../core/ledger/stream-range.ts';
import { type Ack, linkMessage, MAX_RANGES, parseLinkMessage } from '../../core/link/link-messages.ts';
import type { CarriedMessage } from '../../core/link/link-feature.ts';
import type { DownKind, UpKind } from '../../core/link/link-topics.ts';
import type { Credential } from '../../core/pki/certificate.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { createBackfillLane } from './backfill-lane.ts';
import { createBatchSize } from './batch-size.ts';
import { HISTORY_DEFLATE_LEVEL, LIVE_DEFLATE_LEVEL } from './deflate-levels.ts';
import { createByteBudget } from './byte-budget.ts';
import { createCertificateRenewal, credentialsOf } from './certificate-renewal.ts';
import { credibleRanges } from './credible-ranges.ts';
import { documentMessages } from './document-messages.ts';
import { createLinkConnection, type Link } from './link-connection.ts';
import { createHubPressure } from './hub-pressure.ts';
import { createLiveLane } from './live-lane.ts';
import { type EpochRange, journalled, without } from './not-journalled.ts';
import { createRecovery } from './recovery.ts';
import type { UplinkDeps, UplinkStatus } from './uplink-deps.ts';
import type { Enrolment } from './uplink-store.ts';

/** How often the acknowledged ranges are written down. */
const SAVE_ACKED_MS = 60_000;

/** How often the age of the backlog is looked up while the hub is away. */
const FIND_OLDEST_MS = 5_000;

/** Losses gather for this long before they are sent. */
const GATHER_MS = 200;

/** A hub that is connected and does not answer the hello for so long: the line is made anew. */
const WELCOME_TIMEOUT_MS = 15_000;

/** How often the age of the certificate is looked at on a connection that just stays. */
const CHECK_CERTIFICATE_MS = 3_600_000;

const earlier = (one: EpochMs, other: EpochMs | null): EpochMs => (other !== null && other < one ? other : one);

/** A position after everything: without a hub, nothing is kept for it. */
const NOTHING_HELD: JournalPosition = { segment: Number.MAX_SAFE_INTEGER, offset: 0 };

/**
 * The way up: after each connection hello → welcome → features, alarms first → losses → live values and history. Values flow only when the
 * hub has said what it holds, and its word, not the broker's PUBACK, is what frees the journal.
 */
export function createUplink(deps: UplinkDeps) {
	const { store, journal, encode, lastSeq, devices, healthOf, clock, log } = deps;
	const { makeLink = createLinkConnection, random = Math.random } = deps;
	let connection: (Link & Stoppable) | null = null;
	let session: AbortController | null = null;
	let lossesTimer: NodeJS.Timeout | null = null;
	let welcomeTimer: NodeJS.Timeout | null = null;
	/** Connections are made one after the other, so that there is one. */
	const { run: inTurn, settled } = createTurns();
	let isStopped = false;
	/** The first boot that can be looked for in the sealed history. */
	let knownFrom = store.settledBelow();

	const ownRanges = (): readonly StreamRange[] => journal.held().filter(({ origin }) => origin === store.gatewayId());

	const pressure = createHubPressure({ clock });
	const budget = createByteBudget({ clock, bytesPerSecond: deps.backfillBytesPerSecond });
	const live = createLiveLane({
		link: () => connection,
		encode: (readings) => encode(readings, LIVE_DEFLATE_LEVEL),
		isPaused: () => pressure.isLivePaused(),
		settle: deps.settle,
		clock,
	});
	const recovery = createRecovery({
		store,
		journal,
		held: ownRanges,
		known: () => deps.known(knownFrom),
		owed: (...range) => backfill.owed(...range),
		sendAgain: (...asked) => backfill.askedAgain(...asked),
		findSealed: deps.findSealed,
		declared(range, reason) {
			deps.declared(range, reason);
			lossesTimer ??= setTimeout(sendLost, GATHER_MS);
		},
		log,
	});
	const backfill = createBackfillLane({
		origin: store.gatewayId(),
		journal,
		encode: (readings) => encode(readings, HISTORY_DEFLATE_LEVEL),
		batch: createBatchSize(),
		pressure,
		sealed: recovery.sealed,
		settle: deps.settle,
		givenUp: (range) => recovery.declareLost(range, 'damaged-in-transit'),
		isOnTheWay: (epoch, first, last) => live.isOnTheWay(epoch, first, last),
		clock,
		budget,
		random,
	});

	const renewal = createCertificateRenewal({ store, link: () => connection, clock, log });

	const owedOf = (ranges: readonly EpochRange[]): readonly EpochRange[] =>
		ranges.flatMap(({ epoch, first, last }) =>
			backfill.owed(epoch, first, last).map((part) => ({ epoch, first: part.first, last: part.last })),
		);

	/** What the journal holds, and what it has given up and the history has; as far as the hub has not acknowledged it. */
	const owedRanges = (): readonly EpochRange[] =>
		without(
			owedOf(journalled([...(store.enrolment() === null ? [] : deps.known(knownFrom)), ...ownRanges()])),
			store.undeclaredLosses(),
		);

	/** The first boot of which the hub may lack something; those before are settled for good. */
	function openFrom(): number {
		const open = without(owedOf(deps.known(store.settledBelow())), store.undeclaredLosses());
		return Math.min(open[0]?.epoch ?? journal.epoch, journal.held()[0]?.epoch ?? journal.epoch);
	}

	const credible = (told: readonly EpochRanges[]): readonly EpochRanges[] =>
		credibleRanges(told, { epoch: journal.epoch, lastSeq: lastSeq() });

	function sayHello(link: Link): void {
		const oldestEpoch = openFrom();
		const hello = {
			name: deps.name(),
			version: deps.version,
			epoch: journal.epoch,
			lastSeq: lastSeq(),
			oldestEpoch,
			boots: deps.bootsOf(store.sharedFrom() ?? journal.epoch, journal.epoch),
		};
		link.publish('hello', linkMessage('hello', hello), 1).catch((error: unknown) => link.renew(messageOf(error)));
		if (welcomeTimer !== null) clearTimeout(welcomeTimer);
		welcomeTimer = setTimeout(
			() => link.renew(`the hub has not answered the hello for ${WELCOME_TIMEOUT_MS} ms`),
			WELCOME_TIMEOUT_MS,
		);
	}

	async function sendLosses(link: Link): Promise<void> {
		const losses = store.undeclaredLosses().slice(0, MAX_RANGES);
		if (losses.length > 0) await link.publish('losses', linkMessage('losses', { losses }), 1);
	}

	/** What a feature sends. Sums of history share the bytes of history, and wait as long as the hub wants none. */
	async function sendFor(link: Link, kind: UpKind, payload: Uint8Array, signal: AbortSignal): Promise<void> {
		if (kind === 'rollups') {
			await sleep(pressure.historyWaitMs(), undefined, { signal });
			await budget.spend(payload.byteLength, signal);
		}
		await link.publish(kind, payload, 1);
	}

	async function runSession(link: Link, signal: AbortSignal): Promise<void> {
		for (const feature of deps.features) {
			signal.throwIfAborted();
			await feature.begin((kind, payload) => sendFor(link, kind, payload, signal), signal);
		}
		await sendLosses(link);
		signal.throwIfAborted();
		live.open();
		await backfill.run(link, signal);
	}

	function endSession(): void {
		if (welcomeTimer !== null) clearTimeout(welcomeTimer);
		welcomeTimer = null;
		session?.abort();
		session = null;
		live.close();
	}

	function startSession(link: Link, payload: Uint8Array): void {
		const { received, owed } = parseLinkMessage('welcome', payload);
		endSession();
		journal.hold('uplink', journal.oldest());
		store.shares(journal.held()[0]?.epoch ?? journal.epoch);
		pressure.reset();
		backfill.reset(credible(received));
		// A hub that has more to say than fits leaves out the oldest: nobody knows what it lacks of those.
		knownFrom = received.length < MAX_RANGES ? store.settledBelow() : (received[0]?.epoch ?? 0);
		recovery.sessionBegins(owed);
		const controller = new AbortController();
		session = controller;
		runSession(link, controller.signal).catch((error: unknown) => {
			if (controller.signal.aborted) log.debug('link-session-ended', { reason: messageOf(error) });
			else link.renew(messageOf(error));
		});
	}

	function takeAck(ack: Ack): void {
		// A loss that is written down is owed no more.
		backfill.acknowledge(credible([...ack.received, ...ack.losses]));
		for (const { epoch, ranges } of ack.losses)
			for (const { first, last } of ranges) store.settleLoss(epoch, first, last);
		// More than one message takes, or lost meanwhile.
		if (ack.losses.length > 0 && store.undeclaredLosses().length > 0) lossesTimer ??= setTimeout(sendLost, GATHER_MS);
	}

	const hear: Readonly<Partial<Record<DownKind, (link: Link, payload: Uint8Array) => void>>> = {
		welcome: startSession,
		ack: (_link, payload) => takeAck(parseLinkMessage('ack', payload)),
		resend: (_link, payload) => recovery.hear(payload),
		pressure: (_link, payload) => {
			pressure.hear(payload);
			backfill.wake();
		},
		expiring: () => renewal.ask(),
		certificate: (_link, payload) => renewal.take(parseLinkMessage('certificate', payload).certPem),
	};

	function came(credential: Credential): void {
		renewal.came(credential);
		if (connection !== null) sayHello(connection);
		renewal.check();
	}

	function wentDown(): void {
		renewal.forget();
		endSession();
	}

	function connect(enrolment: Enrolment): void {
		const { link_host: linkHost, link_port: linkPort } = deps.reachedAt();
		journal.hold('uplink', journal.oldest());
		connection = makeLink({
			gateway: store.gatewayId(),
			hub: {
				caPem: enrolment.caPem,
				linkHost: linkHost || enrolment.linkHost,
				linkPort: linkPort || enrolment.linkPort,
			},
			credentials: () => credentialsOf(store.enrolment() ?? enrolment),
			clock,
			log,
			events: {
				up: came,
				down: wentDown,
				message(kind, payload) {
					try {
						if (connection === null) return;
						hear[kind]?.(connection, payload);
						for (const feature of deps.features) feature.hears[kind]?.(payload);
					} catch (error) {
						log.warn('link-message-refused', { kind, reason: messageOf(error) });
					}
				},
			},
		});
	}

	/** @param enrolment `null`: this gateway has no hub any more */
	async function use(enrolment: Enrolment | null): Promise<void> {
		if (isStopped) return;
		await store.setEnrolment(enrolment);
		knownFrom = store.settledBelow();
		wentDown();
		backfill.reset([]);
		const old = connection;
		connection = null;
		await old?.stop();
		if (isStopped) return;
		if (enrolment === null) journal.hold('uplink', NOTHING_HELD);
		else connect(enrolment);
	}

	async function connectAnew(): Promise<void> {
		const enrolment = store.enrolment();
		const old = connection;
		if (isStopped || enrolment === null || old === null) return;
		wentDown();
		connection = null;
		await old.stop();
		if (!isStopped) connect(enrolment);
	}

	function sendLost(): void {
		lossesTimer = null;
		const link = connection;
		if (link !== null && session !== null) sendLosses(link).catch((error: unknown) => link.renew(messageOf(error)));
	}

	/** What the hub holds is kept for the display after a restart; a session always starts with the hub's own word. */
	function saveAcked(): Promise<void> {
		const oldestEpoch = openFrom();
		return store
			.saveAcked(backfill.acked(oldestEpoch), session === null ? null : oldestEpoch)
			.catch((error: unknown) => {
				log.debug('acked-not-saved', { reason: messageOf(error) });
			});
	}

	backfill.reset(store.acked());
	const oldestTimer = setInterval(() => {
		backfill.findOldest().catch((error: unknown) => log.debug('oldest-not-found', { reason: messageOf(error) }));
	}, FIND_OLDEST_MS);
	oldestTimer.unref();
	const saveTimer = setInterval(() => void saveAcked(), SAVE_ACKED_MS);
	saveTimer.unref();

	const renewalTimer = setInterval(() => renewal.check(), CHECK_CERTIFICATE_MS);
	renewalTimer.unref();

	const existing = store.enrolment();
	if (existing !== null) connect(existing);

	return {
		/** HOT: a ReadingListener, the live lane. */
		offer: (reading: Reading): void => live.offer(reading),
		/** Samples that will never be in the journal; declared to the hub at once or with the next session. */
		lost(range: StreamRange, reason: LossReason): void {
			if (range.origin !== store.gatewayId()) return;
			if (store.enrolment() === null) {
				deps.declared(range, reason);
				return;
			}
			// The history may have it, and a place that is damaged may not have had it.
			if (reason === 'journal-damaged') recovery.moved([range], reason);
			else
				for (const part of backfill.owed(range.epoch, range.first, range.last))
					recovery.declareLost({ epoch: range.epoch, ...part }, reason);
		},
		/** The journal has given these up for their space, and the history has them. */
		moved(ranges: readonly StreamRange[]): void {
			if (store.enrolment() !== null)
				recovery.moved(
					ranges.filter(({ origin }) => origin === store.gatewayId()),
					'journal-quota',
				);
		},
		/** Uses a new enrolment from now on, or none. */
		enrolled: (enrolment: Enrolment | null): Promise<void> => inTurn(() => use(enrolment)),
		/** What was on disk here and the hub has not acknowledged. */
		owedRanges,
		/** Goes to the hub anew: it is reached elsewhere from now on. */
		relink: (): Promise<void> => inTurn(connectAnew),
		/** The parts of a range that the hub has not acknowledged. */
		owed: backfill.owed,
		/** Readings that the hub lacks and that only the sealed history has; the oldest boot first. */
		async *sealedOwed(): AsyncGenerator<readonly Reading[]> {
			const signal = new AbortController();
			for (const range of without(owedRanges(), ownRanges())) yield* deps.findSealed(range, signal.signal);
		},
		/** The hub's word, by whatever way it came. */
		acknowledge: takeAck,
		/** All documents and losses, and what features have to say, for whoever brings them another way. */
		*documents(): Generator<{ readonly kind: 'documents' | 'losses'; readonly payload: Uint8Array } | CarriedMessage> {
			for (const message of documentMessages(devices(), healthOf))
				yield { kind: 'documents', payload: linkMessage('documents', message) };
			const losses = store.undeclaredLosses().slice(0, MAX_RANGES);
			if (losses.length > 0) yield { kind: 'losses', payload: linkMessage('losses', { losses }) };
			for (const { carried } of deps.features) if (carried !== undefined) yield* carried();
		},
		/** Time of the last round trip to the hub, ms; `null` before the first. */
		roundTripMs: (): number | null => connection?.roundTripMs() ?? null,
		status(): UplinkStatus {
			const enrolment = store.enrolment();
			const link = connection?.state() ?? null;
			const owed = owedRanges();
			const backlogSamples = countOf(owed);
			return {
				enrolled: enrolment !== null,
				hubUrl: enrolment?.hubUrl ?? null,
				state: link?.state ?? 'not-enrolled',
				since: link?.since ?? null,
				lastError: link?.lastError ?? null,
				backlogSamples,
				oldestOwedAt: owed[0] === undefined ? null : earlier(backfill.oldestOwedAt(), deps.readAt(owed[0])),
				acknowledgedThroughAt: backfill.ackedThroughAt(),
				lostSamples: store.lostSamples(),
			};
		},
		async stop(): Promise<void> {
			isStopped = true;
			if (lossesTimer !== null) clearTimeout(lossesTimer);
			endSession();
			await settled();
			await connection?.stop();
			for (const timer of [oldestTimer, saveTimer, renewalTimer]) clearInterval(timer);
			await saveAcked();
			await store.stop();
		},
	};
}

export type Uplink = ReturnType<typeof createUplink>;
