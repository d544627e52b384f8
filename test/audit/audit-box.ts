import type { ExecutionContext } from 'ava';

import type { AuditEvent } from '../../core/audit/audit.ts';
import { type AuditStore, openAuditStore } from '../../core/audit/audit-store.ts';
import { DEFAULT_TENANT } from '../../core/kernel/id.ts';
import type { LogFields, Logger } from '../../core/kernel/log.ts';
import { createManualTimer, type ManualTimer } from '../fake/manual-timer.ts';
import { createPowerCutFiles, type PowerCutFiles } from '../fake/power-cut-files.ts';

export const FOLDER = '/data/audit';

export interface AuditBox extends ManualTimer {
	readonly files: PowerCutFiles;
	/** Events of the log so far. */
	readonly logged: { readonly event: string; readonly fields: LogFields }[];
	/** Another life over the same files. */
	readonly open: (limits?: { readonly segmentBytes?: number; readonly maxBytes?: number }) => Promise<AuditStore>;
}

/** The real store over files in memory and a clock that is moved by hand. */
export function auditBox(t: ExecutionContext): AuditBox {
	const timer = createManualTimer();
	const files = createPowerCutFiles();
	const logged: { event: string; fields: LogFields }[] = [];
	const note = (event: string, fields: LogFields = {}): void => void logged.push({ event, fields });
	const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log };
	const opened: AuditStore[] = [];
	t.teardown(async () => {
		for (const store of opened) await store.stop();
	});
	return {
		...timer,
		files,
		logged,
		async open(limits = {}) {
			const { clock, setTimer } = timer;
			const store = await openAuditStore({ folder: FOLDER, clock, log, files, setTimer, ...limits });
			opened.push(store);
			return store;
		},
	};
}

export const eventOf = (action: string, changes: Partial<AuditEvent> = {}): AuditEvent => ({
	action,
	outcome: 'done',
	actor: { userId: 'aa000000-0000-4000-8000-000000000001', email: 'ada@example.com' },
	tenantId: DEFAULT_TENANT,
	from: '192.0.2.1',
	target: null,
	reason: null,
	before: null,
	after: null,
	requestId: null,
	...changes,
});

/** Actions of everything that is kept, oldest first. */
export async function actionsOf(store: AuditStore): Promise<readonly string[]> {
	const { entries } = await store.page(null, 10_000, () => true);
	return entries.map(({ action }) => action).toReversed();
}
