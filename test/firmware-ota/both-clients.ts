import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';
import { Updater } from 'tuf-js';

import type { SetTimer } from '../../core/journal/set-timer.ts';
import { type Clock, epochMs, systemClock } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import { type Logger, silentLog } from '../../core/kernel/log.ts';
import { createHttpMetadataSource } from '../../firmware-ota/trust/http-source.ts';
import { TrustFault, type TrustRefusal } from '../../firmware-ota/trust/trust-fault.ts';
import { TRUST_LIMITS, type TrustLimits } from '../../firmware-ota/trust/trust-limits.ts';
import { openTrust, type Trust, type TrustedView } from '../../firmware-ota/trust/trust-service.ts';
import { createHostileRepository, type HostileRepository } from './hostile-repository.ts';
import { type RepositoryServer, serveRepository } from './repository-server.ts';

export const DAY_MS = 86_400_000;

export function newFolder(t: ExecutionContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-tuf-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

/** `accepted`, or why not. */
export type Verdict = 'accepted' | TrustRefusal;

export interface Clients {
	readonly repository: HostileRepository;
	readonly server: RepositoryServer;
	/** What this client says, and what it was compared with. */
	readonly refresh: (mayBeExpired?: boolean) => Promise<Verdict>;
	/** Both look the repository over; fails the test unless they agree, and ours gives this reason. */
	readonly agree: (expected: Verdict) => Promise<void>;
	/** What each says; nothing is judged. */
	readonly compare: () => Promise<{ readonly ours: Verdict; readonly peers: string }>;
	/** Ours refuses for this reason what the other takes. */
	readonly stricter: (expected: TrustRefusal) => Promise<void>;
	/** Both look a target up after a refresh: its length, `null` when there is none, or `refused`. */
	readonly agreeOnTarget: (path: string, expected: number | null | 'refused') => Promise<void>;
	readonly view: () => TrustedView;
	/** Ours, as another process would find it. */
	readonly reopen: (change?: { readonly clock?: Clock; readonly builtAt?: number }) => Promise<Trust>;
	readonly trust: () => Trust;
	readonly folder: string;
	readonly events: string[];
	readonly factoryRoot: string;
}

export interface ClientOptions {
	readonly clock?: Clock;
	readonly builtAt?: number;
	readonly limits?: Partial<TrustLimits>;
	readonly setTimer?: SetTimer;
	/** Makes the first state of the repository; default: an appliance role with one release. */
	readonly prepare?: (repository: HostileRepository) => void;
}

export function withAppliance(repository: HostileRepository): void {
	repository.delegate('appliance', { targets: { 'appliance/gateway-1.tar': Buffer.from('first release') } });
}

const LONG_AGO = Date.UTC(2026, 0, 1);

/** A repository on a real HTTP server, this client and the one of tuf-js, both with the factory's root and nothing else. */
export async function bothClients(t: ExecutionContext, options: ClientOptions = {}): Promise<Clients> {
	const repository = createHostileRepository();
	(options.prepare ?? withAppliance)(repository);
	const factoryRoot = repository.publishRoot();
	repository.publish();
	const server = await serveRepository(t, repository.files);
	const home = newFolder(t);
	const [folder, peer] = [join(home, 'ours'), join(home, 'peer')];
	mkdirSync(join(peer, 'targets'), { recursive: true });
	writeFileSync(join(peer, 'root.json'), factoryRoot);
	const events: string[] = [];
	const note = (event: string): void => void events.push(event);
	const log: Logger = { ...silentLog, error: note, warn: note };
	const baseUrl = `${server.url}/metadata`;
	const { setTimer } = options;
	const source = createHttpMetadataSource({ baseUrl, ...(setTimer === undefined ? {} : { setTimer }) });

	const open = (change: { readonly clock?: Clock; readonly builtAt?: number } = {}): Promise<Trust> =>
		openTrust({
			folder,
			factoryRoot,
			builtAt: epochMs(change.builtAt ?? options.builtAt ?? LONG_AGO),
			clock: change.clock ?? options.clock ?? systemClock,
			log,
			limits: { ...TRUST_LIMITS, ...options.limits },
		});
	let trust = await open();

	async function refresh(mayBeExpired = false): Promise<Verdict> {
		try {
			await trust.refresh({ source, signal: new AbortController().signal, mayBeExpired });
			return 'accepted';
		} catch (error) {
			if (error instanceof TrustFault) return error.refusal;
			throw error;
		}
	}

	const newPeer = (): Updater =>
		new Updater({
			metadataDir: peer,
			metadataBaseUrl: baseUrl,
			targetDir: join(peer, 'targets'),
			targetBaseUrl: `${server.url}/targets`,
			config: { fetchRetry: 0, fetchTimeout: 10_000 },
		});

	async function asksPeer(): Promise<{ readonly accepted: boolean; readonly why: string }> {
		try {
			await newPeer().refresh();
			return { accepted: true, why: 'accepted' };
		} catch (error) {
			return { accepted: false, why: messageOf(error) };
		}
	}

	const viewOrThrow = (): TrustedView => {
		const view = trust.view();
		if (view === null) throw new TypeError('there is no set yet');
		return view;
	};

	async function ourTarget(path: string): Promise<number | null | 'refused'> {
		await refresh();
		try {
			return viewOrThrow().find(path)?.length ?? null;
		} catch (error) {
			if (error instanceof TrustFault) return 'refused';
			throw error;
		}
	}

	const peerTarget = (path: string): Promise<number | null | 'refused'> =>
		newPeer()
			.getTargetInfo(path)
			.then(
				(found) => found?.length ?? null,
				() => 'refused',
			);

	return {
		repository,
		server,
		folder,
		events,
		factoryRoot,
		refresh,
		async agree(expected) {
			const ours = await refresh();
			const peers = await asksPeer();
			t.is(ours, expected, `tuf-js: ${peers.why}`);
			t.is(ours === 'accepted', peers.accepted, `ours: ${ours}; tuf-js: ${peers.why}`);
		},
		compare: async () => ({ ours: await refresh(), peers: (await asksPeer()).why }),
		async stricter(expected) {
			t.is(await refresh(), expected);
			const { accepted, why } = await asksPeer();
			t.true(accepted, `tuf-js: ${why}`);
		},
		async agreeOnTarget(path, expected) {
			const [ours, peers] = [await ourTarget(path), await peerTarget(path)];
			t.is(ours, expected);
			t.is(peers, expected, 'tuf-js');
		},
		view: viewOrThrow,
		async reopen(change) {
			trust = await open(change);
			return trust;
		},
		trust: () => trust,
	};
}
