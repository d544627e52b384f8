import { addressKey } from '../kernel/address-key.ts';

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/i;

/** How many connections come from where, so that one address uses up its own share and nobody else's. */
export interface AddressShare {
	/** Whether the address has as many as one may have. */
	isFull(address: string): boolean;
	/** Counts a connection; answers what ends the counting, to be called once. */
	enter(address: string): () => void;
}

/** @param limit connections of one address, or of one IPv6 network (/64). This machine itself has no limit: a proxy on it speaks for others. */
export function createAddressShare(limit: number): AddressShare {
	const open = new Map<string, number>();

	function leave(key: string): void {
		const left = (open.get(key) ?? 1) - 1;
		if (left === 0) open.delete(key);
		else open.set(key, left);
	}

	return {
		isFull: (address) => !LOOPBACK.test(address) && (open.get(addressKey(address)) ?? 0) >= limit,
		enter(address) {
			const key = addressKey(address);
			open.set(key, (open.get(key) ?? 0) + 1);
			return () => leave(key);
		},
	};
}
