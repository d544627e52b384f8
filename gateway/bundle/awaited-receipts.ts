import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { UplinkFeature } from '../../core/link/link-feature.ts';
import { openSettingsStore } from '../../core/storage/settings-store.ts';

/** Bundles that may be on their way at a time; the receipt of an older one counts no more. */
const MOST_AWAITED = 16;

interface Saved {
	/** Ids of bundles in the order in which they were exported. */
	readonly bundles: readonly string[];
}

/** The bundles whose receipts still say something that this gateway does not know better. */
export interface AwaitedReceipts {
	/** A bundle leaves this gateway; resolves when that is on disk. @throws Fault `unavailable` */
	readonly expect: (bundle: string) => Promise<void>;
	/**
	 * The receipt of a bundle has come. Again it says the same; those of bundles before it say less.
	 * @throws Fault `state-conflict` when it is not awaited (any more); `unavailable`
	 */
	readonly take: (bundle: string) => Promise<void>;
	readonly feature: UplinkFeature;
}

/**
 * A receipt lets samples go, and it can be kept and shown again at any time. What the hub says over the link is newer than any receipt of a bundle
 * before: it may have lost, meanwhile, what it had then. So a receipt counts for a bundle that was exported since the hub has last spoken, and
 * not after that of a later bundle.
 */
export async function openAwaitedReceipts(path: string, log: Logger): Promise<AwaitedReceipts> {
	const store = await openSettingsStore<Saved>({ path, defaults: { bundles: [] }, log });
	let bundles = store.get().bundles;

	async function keep(next: readonly string[]): Promise<void> {
		bundles = next;
		await store.update(() => ({ bundles }));
	}

	function supersede(): void {
		if (bundles.length === 0) return;
		keep([]).catch((error: unknown) => log.warn('awaited-receipts-not-kept', { reason: messageOf(error) }));
	}

	return {
		expect: (bundle) => keep([...bundles, bundle].slice(-MOST_AWAITED)),
		async take(bundle) {
			const index = bundles.indexOf(bundle);
			if (index < 0)
				throw new Fault(
					'state-conflict',
					'no receipt of this bundle is awaited: the hub was connected since it was exported, or the receipt of a later one was taken',
				);
			if (index > 0) await keep(bundles.slice(index));
		},
		feature: { hears: { welcome: supersede, resend: supersede }, begin: async () => undefined },
	};
}
