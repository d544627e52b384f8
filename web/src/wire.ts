/** What the API answers, as it is on the wire. Times are ISO 8601 in UTC. */

import type { ConnectionView } from './wire-field.ts';

export type Quality = 'good' | 'stale' | 'out_of_range' | 'substituted' | 'comm_error';

export type HealthState = 'ok' | 'degraded' | 'offline' | 'unknown';

export interface TokensView {
	readonly access_token: string;
	/** Life of the access token, seconds. */
	readonly expires_in: number;
}

/** Who may make an account: everybody, everybody with the approval of an administrator, or administrators only. */
export type Registration = 'open' | 'approval' | 'closed';

export interface SetupView {
	readonly claimed: boolean;
	readonly registration: Registration;
	/** SHA-256 of the authority behind the https address of this box; `null`: it has none. */
	readonly certificate_authority_sha256?: string | null;
	readonly version: string;
}

/** Answer to a registration that an administrator has to approve. */
export interface WaitingView {
	readonly status: 'awaiting_approval';
}

export interface HealthView {
	readonly state: HealthState;
	readonly since: string | null;
	/** A sentence for a person; `null` while ok. */
	readonly reason: string | null;
}

export interface DeviceView {
	readonly id: string;
	readonly device_uid: string;
	readonly name: string;
	readonly device_type: string;
	readonly status: 'online' | 'offline' | 'maintenance';
	readonly last_seen_at: string | null;
	readonly created_at?: string;
	readonly firmware_version?: string | null;
	readonly owner_id?: string | null;
	readonly gateway_id?: string | null;
	readonly health?: HealthView | null;
	readonly connection?: ConnectionView | null;
}

export interface DevicePageView {
	readonly items: readonly DeviceView[];
	readonly total: number;
	readonly page: number;
	readonly pages: number;
}

export interface LatestView {
	readonly device_id: string;
	readonly values: Readonly<Record<string, LatestValueView>>;
}

export interface LatestValueView {
	readonly value: unknown;
	readonly quality: Quality;
	readonly read_at: string;
	/** Age at the server when it answered, ms. */
	readonly age_ms: number;
	/** Age at which it is stale; `null`: never. */
	readonly stale_after_ms: number | null;
	readonly unit?: string | null;
}

export interface SeriesView {
	readonly points: Readonly<Record<string, { readonly t: readonly number[]; readonly v: readonly (number | null)[] }>>;
}

export interface TelemetryEvent {
	readonly device_uid: string;
	readonly device_id?: string;
	readonly data: Readonly<Record<string, unknown>>;
	/** Only the points that are not good. */
	readonly quality?: Readonly<Record<string, Quality>>;
}

export interface DeviceHealthEvent extends HealthView {
	readonly device_id: string;
}

export interface DeviceStatusEvent {
	readonly device_uid: string;
	readonly status: DeviceView['status'];
}

export interface UplinkView {
	readonly enrolled: boolean;
	readonly hub_url: string | null;
	readonly gateway_id: string | null;
	readonly state: 'not-enrolled' | 'connecting' | 'online' | 'offline';
	readonly since: string | null;
	readonly last_error: string | null;
	readonly stored_samples: number;
	readonly stored_bytes: number;
	readonly oldest_at: string | null;
	readonly acknowledged_through_at: string | null;
	readonly backlog_samples: number;
	readonly declared_lost_samples: number;
	readonly journal: { readonly bytes: number; readonly max_bytes: number; readonly write_error: string | null };
}

export interface StorageView {
	readonly data: {
		readonly used_bytes: number;
		readonly free_bytes: number;
		readonly total_bytes: number;
		/** What is directly below the data folder. */
		readonly folders: readonly { readonly folder: string; readonly bytes: number }[];
	};
	readonly journal: {
		readonly bytes: number;
		readonly quota_bytes: number;
		readonly free_floor_bytes: number;
		readonly losses: number;
		readonly write_error: string | null;
	};
	readonly power_cut: { readonly lost_ms: number; readonly lost_bytes: number; readonly waiting_samples: number };
	readonly written: {
		/** `null` in the first minutes; so is the next. */
		readonly bytes_per_day: number | null;
		readonly streams: readonly { readonly stream: string; readonly bytes_per_day: number | null }[];
	};
	readonly card: {
		readonly capacity_bytes: number;
		readonly endurance_cycles: number;
		readonly projected_life_years: number | null;
	};
}

export interface CredentialsView {
	readonly username: string;
	readonly password: string;
}

export interface GatewayView {
	readonly id: string;
	readonly name: string;
	readonly online: boolean;
	readonly version: string | null;
	readonly last_seen_at: string | null;
	/** End of the certificate that it was given last. */
	readonly certificate_expires_at: string | null;
	readonly revoked_at: string | null;
	readonly devices: number;
	readonly received_samples: number;
	readonly missing_samples: number;
	readonly declared_lost_samples: number;
}

export interface EnrolmentCodeView {
	readonly code: string;
	/** The one gateway that it lets in; `null`: any that is new. */
	readonly gateway_id: string | null;
	readonly expires_at: string;
}

/** `GET /health`: beside `status` and facts of the process, one entry for each component, and why some are not connected. */
export interface SystemHealthView {
	readonly reasons?: Readonly<Record<string, string>>;
	readonly [component: string]: unknown;
}

export type Role = 'superadmin' | 'admin' | 'manager' | 'editor' | 'viewer' | 'user';

export interface UserView {
	readonly id: string;
	readonly username: string;
	readonly email: string;
	readonly role: Role;
	readonly is_active: boolean;
	readonly full_name: string;
	readonly phone: string;
	readonly organization: string;
	readonly created_at: string;
	readonly last_login: string | null;
	readonly must_change_password: boolean;
}

/** What pages ask for before they offer something; the server knows more. */
export type Permission =
	| 'alarms:ack'
	| 'alarms:write'
	| 'audit:read'
	| 'devices:command'
	| 'devices:write'
	| 'gateways:configure'
	| 'gateways:delete'
	| 'system:read'
	| 'templates:delete'
	| 'templates:write'
	| 'users:delete'
	| 'users:read'
	| 'users:write';

/** The own account. */
export interface MeView extends UserView {
	/** Everything it may, by its level and by grants. */
	readonly effective_permissions: readonly string[];
}

export interface UserPageView {
	readonly items: readonly UserView[];
	readonly total: number;
	readonly page: number;
	readonly pages: number;
}

/** One login that is still good. */
export interface LoginSessionView {
	readonly id: string;
	readonly created_at: string;
	readonly last_used_at: string;
	readonly expires_at: string;
	readonly address: string;
	/** As the program named itself; '' when it did not. */
	readonly user_agent: string;
	readonly current: boolean;
}

export type Severity = 'info' | 'warning' | 'critical';

export interface AlertView {
	readonly id: string;
	readonly rule_id: string;
	readonly device_id: string;
	readonly severity: Severity;
	readonly message: string;
	readonly created_at: string;
	/** Begin of the last occurrence, and its end; `null` while it holds. */
	readonly raised_at: string;
	readonly cleared_at: string | null;
	readonly occurrences: number;
	/** `null`: nobody has. */
	readonly acknowledged_at: string | null;
	/** `null` also where it was not said who. */
	readonly acknowledged_by_email: string | null;
}

/** News for the person who is logged in. */
export interface NotificationEvent {
	readonly title: string;
	readonly message: string;
	/** For alerts their severity. */
	readonly type: string;
	readonly alert_id?: string;
}

export type Condition = 'gt' | 'gte' | 'lt' | 'lte' | 'eq' | 'ne';

export interface AlertRuleView {
	readonly id: string;
	readonly name: string;
	readonly metric: string;
	readonly condition: Condition;
	readonly threshold: number;
	readonly severity: Severity;
	readonly is_active: boolean;
	readonly hysteresis: number;
	readonly duration_seconds: number;
	/** The one device it watches; `null`: all of them, or those of a group. */
	readonly device_id: string | null;
	/** The gateway whose devices it watches; `null`: those of all. */
	readonly gateway_id: string | null;
}

export interface CommandView {
	readonly id: string;
	readonly command_name: string;
	readonly payload: Readonly<Record<string, unknown>>;
	readonly status: 'pending' | 'sent' | 'executed' | 'failed';
	readonly created_at: string;
	readonly executed_at: string | null;
	readonly error: string | null;
	/** What the device answered. */
	readonly result: Readonly<Record<string, unknown>> | null;
}

/** Somebody who tried to log in at the broker under a name that nothing is known of. */
export interface KnockView {
	/** '' when it gave none. */
	readonly name: string;
	readonly client_id: string | null;
	readonly address: string | null;
	readonly first_seen: string;
	readonly last_seen: string;
	readonly count: number;
	/** Why it was refused: a sentence. */
	readonly why: string;
	readonly adoptable: boolean;
}

export interface AdoptedView {
	readonly device: DeviceView;
	readonly credentials: CredentialsView;
}

export interface AuditView {
	readonly id: string;
	readonly at: string;
	readonly action: string;
	readonly outcome: 'done' | 'refused';
	readonly actor: { readonly email: string } | null;
	readonly from: string;
	readonly target: string | null;
	readonly reason: string | null;
	readonly before: Readonly<Record<string, unknown>> | null;
	readonly after: Readonly<Record<string, unknown>> | null;
	/** Equal refusals that this entry stands for. */
	readonly count: number;
}

/** A bundle on its way into the hub. */
export interface BundleUploadView {
	readonly id: string;
	readonly state: 'uploading' | 'importing' | 'imported' | 'refused';
	readonly received_bytes: number;
	readonly max_part_bytes: number;
	readonly reason: string | null;
	readonly result: {
		readonly gateway_id: string;
		readonly stored_samples: number;
		readonly duplicate_samples: number;
		readonly refused_samples: number;
		readonly is_complete: boolean;
		readonly receipt: string;
	} | null;
}
