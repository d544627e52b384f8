import { type ReadonlySignal, effect, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Socket } from 'socket.io-client';

import type { ScanSummaryView } from '../wire-field.ts';
import { useServices } from './services.ts';

/** Longest wait for the server to say that it will tell. */
const WATCH_WITHIN_MS = 5_000;

export interface ScanNews {
	/** The server tells of each change; while it does not, somebody has to ask. */
	readonly isLive: ReadonlySignal<boolean>;
	/** The last that was told of each scan, by its id; empty while nobody tells. */
	readonly newest: ReadonlySignal<ReadonlyMap<string, ScanSummaryView>>;
}

/** How far the scans are, as the server tells it while the component is shown. */
export function useScanNews(): ScanNews {
	const { live, session, connection } = useServices();
	const isLive = useSignal(false);
	const newest = useSignal<ReadonlyMap<string, ScanSummaryView>>(new Map());

	useEffect(() => {
		function hear(scan: ScanSummaryView): void {
			newest.value = new Map(newest.peek()).set(scan.id, scan);
		}

		function lose(): void {
			isLive.value = false;
			newest.value = new Map();
		}

		function listen(socket: Socket): () => void {
			const watch = (): void => {
				socket
					.timeout(WATCH_WITHIN_MS)
					.emit('watch_scans', {}, (error: Error | null, answer?: { readonly success?: boolean }) => {
						isLive.value = error === null && answer?.success === true && socket.connected;
					});
			};
			socket.on('connect', watch);
			socket.on('disconnect', lose);
			socket.on('scan_progress', hear);
			if (socket.connected) watch();
			return () => {
				socket.off('connect', watch);
				socket.off('disconnect', lose);
				socket.off('scan_progress', hear);
				socket.disconnect();
				lose();
			};
		}

		return effect(() => {
			const manager = live.manager.value;
			if (manager === null) return;
			const socket = manager.socket('/scan', {
				auth: (give: (proof: object) => void): void => give({ token: session.token() }),
			});
			const leave = listen(socket);
			// It does not come back by itself when the server closed it on purpose, e.g. with an old token.
			const stop = effect(() => {
				if (connection.state.value === 'connected' && !socket.active) socket.connect();
			});
			return () => {
				stop();
				leave();
			};
		});
	}, [live, session, connection, isLive, newest]);

	return { isLive, newest };
}
