import { hubName } from '../../core/bundle/bundle-format.ts';
import { parseBundleKey } from '../../core/bundle/bundle-messages.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { UplinkFeature } from '../../core/link/link-feature.ts';
import { openSettingsStore } from '../../core/storage/settings-store.ts';

interface Saved {
	/** Whose key it is; `null`: none was told yet. */
	readonly hub: string | null;
	readonly publicKeyPem: string;
}

/** The hub's public key for bundles, told with each session and kept for the time without one. @param caPem of the hub; `null` without a hub */
export async function openHubBundleKey({
	path,
	caPem,
	log,
}: {
	readonly path: string;
	readonly caPem: () => string | null;
	readonly log: Logger;
}) {
	const store = await openSettingsStore<Saved>({ path, defaults: { hub: null, publicKeyPem: '' }, log });

	function hear(payload: Uint8Array): void {
		const authority = caPem();
		if (authority === null) return;
		const next: Saved = { hub: hubName(authority), publicKeyPem: parseBundleKey(payload) };
		const { hub, publicKeyPem } = store.get();
		if (hub === next.hub && publicKeyPem === next.publicKeyPem) return;
		store.update(() => next).catch((error: unknown) => log.warn('bundle-key-not-kept', { reason: messageOf(error) }));
	}

	return {
		feature: { hears: { bundle: hear }, begin: async () => undefined } satisfies UplinkFeature,
		/** The key of the present hub, PEM; `null` while it has not told one. */
		current(): string | null {
			const authority = caPem();
			const { hub, publicKeyPem } = store.get();
			return authority !== null && hub === hubName(authority) ? publicKeyPem : null;
		},
	};
}
