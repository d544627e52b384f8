import { type ReadonlySignal, signal } from '@preact/signals';

import type { Api } from '../api.ts';
import type { MeView, Permission, Role } from '../wire.ts';

/** Levels, lowest first; `user` and `viewer` are one. */
const LEVEL: Readonly<Record<Role, number>> = { user: 0, viewer: 0, editor: 1, manager: 2, admin: 3, superadmin: 4 };

/** True when the role stands at the level of `least` or above it. */
export const isAtLeast = (role: Role, least: Role): boolean => LEVEL[role] >= LEVEL[least];

/** Who is logged in. What a page hides by it is a courtesy; the server decides. */
export interface Me {
	/** `null` until it is known. */
	readonly user: ReadonlySignal<MeView | null>;
	readonly may: (permission: Permission) => boolean;
	readonly load: () => Promise<void>;
	readonly put: (user: MeView) => void;
	readonly clear: () => void;
}

export function createMe(api: Api): Me {
	const user = signal<MeView | null>(null);
	return {
		user,
		may: (permission) => user.value?.effective_permissions.includes(permission) ?? false,
		async load() {
			user.value = await api.get<MeView>('/api/v1/users/me');
		},
		put(changed) {
			user.value = changed;
		},
		clear() {
			user.value = null;
		},
	};
}
