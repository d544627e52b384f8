import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { messageOf } from '../../core/kernel/fault.ts';
import { type GatewayId, gatewayId, isUuid } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { parseTimeQuestion, type ToldEra, timeMessage } from '../../core/link/time-messages.ts';
import { writeFileDurably } from '../../core/storage/json-file.ts';

/** Where it is kept what gateways have said of their clocks. */
export interface GatewayClockStore {
	/** Eras of each gateway, as they were written. */
	read(): Promise<ReadonlyMap<GatewayId, readonly ToldEra[]>>;
	/** Durable when it resolves. */
	write(gateway: GatewayId, eras: readonly ToldEra[]): Promise<void>;
}

const SUFFIX = '.json';

/** One small file for each gateway, in the words of the link. A damaged one is said; the gateway tells everything with its next session. */
export function createGatewayClockStore({
	folder,
	log,
}: {
	readonly folder: string;
	readonly log: Logger;
}): GatewayClockStore {
	async function readOne(gateway: string): Promise<readonly ToldEra[]> {
		const path = join(folder, `${gateway}${SUFFIX}`);
		try {
			return parseTimeQuestion(await readFile(path)).eras;
		} catch (error) {
			log.error('gateway-clock-damaged', { path, reason: messageOf(error) });
			return [];
		}
	}

	return {
		async read() {
			const names = await readdir(folder).catch((): string[] => []);
			const found = new Map<GatewayId, readonly ToldEra[]>();
			for (const name of names) {
				const id = name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : '';
				if (isUuid(id)) found.set(gatewayId(id), await readOne(id));
			}
			return found;
		},
		write: (gateway, eras) =>
			writeFileDurably(join(folder, `${gateway}${SUFFIX}`), timeMessage({ ask: null, at: 0, quality: 'unset', eras })),
	};
}
