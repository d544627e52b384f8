import { type EpochMs, epochMs } from '../../core/kernel/clock.ts';
import { DEFAULT_TENANT, type GatewayId, type TenantId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { EnrolmentKey } from '../../core/link/enrolment.ts';
import { openSettingsStore } from '../../core/storage/settings-store.ts';

/** An enrolment code as the hub keeps it: its name and the key derived from it, never the code. */
export interface OpenCode extends EnrolmentKey {
	readonly expiresAt: EpochMs;
	/** Whose gateway it makes. */
	readonly tenantId: TenantId;
	/** The one gateway that it is for; `null`: any that is not enrolled. */
	readonly onlyFor: GatewayId | null;
	/** The gateway that has used it. */
	readonly usedBy: GatewayId | null;
}

/** Open codes by their name. */
export interface EnrolmentCodes {
	find(codeId: string): OpenCode | null;
	all(): readonly OpenCode[];
	/** Counts at once; durable when it resolves. */
	put(code: OpenCode): Promise<void>;
	/** Counts at once; durable when it resolves. */
	remove(codeIds: readonly string[]): Promise<void>;
}

interface SavedCode extends Omit<OpenCode, 'key' | 'expiresAt' | 'tenantId'> {
	/** base64url */
	readonly key: string;
	readonly expiresAt: number;
	/** Absent in codes of before there were tenants. */
	readonly tenantId?: TenantId;
}

const toSaved = (code: OpenCode): SavedCode => ({ ...code, key: Buffer.from(code.key).toString('base64url') });
const toCode = (saved: SavedCode): OpenCode => ({
	...saved,
	tenantId: saved.tenantId ?? DEFAULT_TENANT,
	key: Uint8Array.from(Buffer.from(saved.key, 'base64url')),
	expiresAt: epochMs(saved.expiresAt),
});

/** The codes in a file (mode 0600), all of them in memory too. Damage to it makes open codes void, and nothing else. */
export async function openEnrolmentCodes(path: string, log: Logger): Promise<EnrolmentCodes> {
	const file = await openSettingsStore<{ readonly codes: readonly SavedCode[] }>({
		path,
		defaults: { codes: [] },
		log,
	});
	const open = new Map(file.get().codes.map((saved) => [saved.codeId, toCode(saved)]));

	async function save(): Promise<void> {
		// What is open when its turn comes, so that the newest state is written last.
		await file.update(() => ({ codes: [...open.values()].map(toSaved) }));
	}

	return {
		find: (codeId) => open.get(codeId) ?? null,
		all: () => [...open.values()],
		put(code) {
			open.set(code.codeId, code);
			return save();
		},
		async remove(codeIds) {
			for (const codeId of codeIds) open.delete(codeId);
			if (codeIds.length > 0) await save();
		},
	};
}
