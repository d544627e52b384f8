import { randomUUID } from 'node:crypto';

import type { DeviceListener } from '../device/device-events.ts';
import type { DeviceService } from '../device/device-service.ts';
import type { Device } from '../device/device.ts';
import { maySee } from '../device/device-access.ts';
import { type Actor, isInTenantOf } from '../identity/role.ts';
import type { SetTimer } from '../journal/set-timer.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault, fieldFault, messageOf, notFound } from '../kernel/fault.ts';
import { createGate } from '../kernel/gate.ts';
import type { DeviceId, GatewayId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import type { Window } from '../kernel/page.ts';
import type { RevisionCheck } from '../kernel/revision.ts';
import { nextVersion, NO_VERSION, revisionOf } from '../sync/version.ts';
import type { Reading } from '../telemetry/reading.ts';
import type { ReadingListener } from '../telemetry/telemetry-service.ts';
import { createAlarmExchange, type RuleConflict } from './alarm-exchange.ts';
import { openAlertBook } from './alert-book.ts';
import { createAlertEngine } from './alert-engine.ts';
import { createAlertRaiser } from './alert-raiser.ts';
import type { AlertStamps } from './alert-stamps.ts';
import type { AlertRepository } from './alert-repository.ts';
import { openAlertRuleBook } from './alert-rule-book.ts';
import type { AlertRuleRepository } from './alert-rule-repository.ts';
import { type AlertRule, type AlertRuleChange, appliesTo, asksTheSame, type NewAlertRule } from './alert-rule.ts';
import { type Alert, isAcknowledged } from './alert.ts';

export interface AlarmServiceDeps {
	readonly rules: AlertRuleRepository;
	readonly alerts: AlertRepository;
	readonly devices: Pick<DeviceService, 'find'>;
	/** This box, which raises alerts under its name. */
	readonly node: GatewayId;
	/** This gateway; `null` on a hub. */
	readonly gatewayId: GatewayId | null;
	/** Whether a gateway has a hub, whose rules for all gateways are changed there. */
	readonly hasHub: () => boolean;
	/** Told of each new alert at once, also of one that comes from another box; its device may be unknown yet. Must not throw or wait. */
	readonly notify: (alert: Alert, device: Device | null) => void;
	/** Told of a change that gave way to another one, which its author could not know. Must not throw or wait. */
	readonly onConflict: (conflict: RuleConflict) => void;
	/** Moves instants that were stamped while nobody knew the time. */
	readonly stamps: AlertStamps;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

/** A record before and after a change. */
export interface Changed<T> {
	readonly before: T;
	readonly after: T;
}

/** Most changes of rules that may wait for the disk. */
const MAX_WAITING = 64;

/** Alert rules, the alerts they raise, and who has seen them. */
export async function openAlarmService({
	rules: repository,
	alerts,
	devices,
	node,
	gatewayId,
	hasHub,
	notify,
	onConflict,
	stamps,
	clock,
	setTimer,
	log,
}: AlarmServiceDeps) {
	const rules = await openAlertRuleBook({ repository, clock });
	const book = await openAlertBook({ alerts, clock, setTimer, log });
	const gate = createGate({ what: 'changes of alert rules', parallel: 1, waiting: MAX_WAITING });
	const raiser = createAlertRaiser({ book, deviceOf: (id) => devices.find(id), node, notify, stamps, clock, log });

	/** A `user` sees the alerts of the devices it owns; everybody else those of the tenant. */
	function isVisible(alert: Alert, actor: Actor): boolean {
		if (!isInTenantOf(actor, alert)) return false;
		if (actor.role !== 'user') return true;
		const device = devices.find(alert.deviceId);
		return device !== null && maySee(actor, device);
	}

	const isUnseen = (alert: Alert, actor?: Actor): boolean =>
		!isAcknowledged(alert) && (actor === undefined || isVisible(alert, actor));

	const engine = createAlertEngine({
		applying(candidates, deviceId) {
			const device = devices.find(deviceId);
			if (device === null) return null;
			// Devices of a gateway are watched there, by the same rules and also without the hub.
			return device.gatewayId === gatewayId ? candidates.filter((rule) => appliesTo(rule, device)) : [];
		},
		raisedSince(rule, deviceId) {
			const open = book.openOf(rule.id, deviceId);
			return open === null || open.clearedAt !== null ? null : open.raisedAt;
		},
		raised: raiser.raise,
		cleared: raiser.clear,
		now: () => clock.now(),
	});

	/** An alert whose rule no longer watches its device holds no longer. */
	function settle(open: readonly Alert[]): void {
		for (const alert of open) {
			if (alert.clearedAt !== null || alert.origin !== node) continue;
			const rule = rules.find(alert.ruleId);
			const device = devices.find(alert.deviceId);
			if (rule !== null && device !== null && appliesTo(rule, device)) continue;
			raiser.end(alert);
		}
	}

	function rulesChanged(): void {
		settle(book.open());
		engine.setRules(rules.living());
	}

	function ruleOf(id: string, actor: Actor): AlertRule {
		const rule = rules.find(id);
		if (rule === null || rule.deletedAt !== null || !isInTenantOf(actor, rule)) throw notFound('alert rule', id);
		return rule;
	}

	function assertChangeable({ id, gatewayId: scope }: AlertRule): void {
		if (gatewayId !== null && scope === null && hasHub())
			throw new Fault('rule-violation', `rule ${id} is the hub's, for all gateways: change it there`);
	}

	function deviceOf(id: DeviceId, rule: Pick<AlertRule, 'tenantId'>): Device {
		const device = devices.find(id);
		if (device === null || device.tenantId !== rule.tenantId)
			throw fieldFault('rule-violation', 'device_id', `device ${id} does not exist`);
		return device;
	}

	/** Where a new rule runs: with its device, or everywhere. */
	function scopeOf({ deviceId, tenantId }: Pick<AlertRule, 'deviceId' | 'tenantId'>): GatewayId | null {
		if (deviceId === null) return gatewayId;
		return deviceOf(deviceId, { tenantId }).gatewayId;
	}

	function assertInScope(rule: AlertRule): void {
		if (rule.deviceId === null) return;
		const device = deviceOf(rule.deviceId, rule);
		if (rule.gatewayId !== null && device.gatewayId !== rule.gatewayId)
			throw fieldFault(
				'rule-violation',
				'device_id',
				`device ${device.uid} is not of gateway ${rule.gatewayId}, whose rule this is: make a rule of its own`,
			);
	}

	/** Stores a state of a rule, and what it asks from now on. */
	async function apply(after: AlertRule, before: AlertRule | null): Promise<void> {
		await rules.keep(after);
		if (before !== null && !asksTheSame(before, after))
			for (const alert of book.open()) if (alert.ruleId === after.id && alert.origin === node) raiser.end(alert);
		rulesChanged();
	}

	/** The state after a change by a person at this box. */
	function changed(before: AlertRule, change: Partial<AlertRule>): AlertRule {
		const version = nextVersion(before.version, node);
		return { ...before, ...change, version, revision: revisionOf(version) };
	}

	async function addRule(wanted: NewAlertRule, { tenantId }: Actor): Promise<AlertRule> {
		const scope = scopeOf({ deviceId: wanted.deviceId, tenantId });
		rules.assertRoom(scope);
		const base = { id: randomUUID(), tenantId, ...wanted, gatewayId: scope, version: NO_VERSION, revision: 0 };
		const rule = changed({ ...base, createdAt: clock.now(), deletedAt: null }, {});
		await apply(rule, null);
		return rule;
	}

	async function changeRule(
		id: string,
		change: AlertRuleChange,
		actor: Actor,
		expected?: RevisionCheck,
	): Promise<Changed<AlertRule>> {
		const before = ruleOf(id, actor);
		expected?.(before.revision);
		assertChangeable(before);
		const after = changed(before, change);
		if (after.deviceId !== before.deviceId) assertInScope(after);
		await apply(after, before);
		return { before, after };
	}

	async function removeRule(id: string, actor: Actor, expected?: RevisionCheck): Promise<AlertRule> {
		const rule = ruleOf(id, actor);
		expected?.(rule.revision);
		assertChangeable(rule);
		await apply(changed(rule, { deletedAt: clock.now() }), rule);
		return rule;
	}

	function alertOf(id: string, actor: Actor): Alert {
		const alert = book.find(id);
		if (alert === null || !isVisible(alert, actor)) throw notFound('alert', id);
		return alert;
	}

	const unacknowledged = (alert: Alert): Alert =>
		stamps.stamped(
			{ ...alert, acknowledgedBy: null, acknowledgedEmail: null, acknowledgedAt: null, acknowledgedOccurrences: null },
			{ acknowledgedAt: stamps.next() },
		);

	async function acknowledge(id: string, actor: Actor): Promise<Changed<Alert>> {
		const before = alertOf(id, actor);
		if (isAcknowledged(before)) throw new Fault('state-conflict', `alert ${id} is already acknowledged`);
		const acknowledgedOccurrences = before.occurrences;
		const { userId: acknowledgedBy, email: acknowledgedEmail } = actor;
		const said = { acknowledgedBy, acknowledgedEmail, acknowledgedAt: clock.now(), acknowledgedOccurrences };
		const acknowledged = stamps.stamped({ ...before, ...said }, { acknowledgedAt: stamps.next() });
		book.put(acknowledged, 'soon');
		try {
			await book.flush();
		} catch (error) {
			const now = book.find(id);
			if (now?.acknowledgedAt === acknowledged.acknowledgedAt) book.put(unacknowledged(now), 'soon');
			throw new Fault('unavailable', `the acknowledgement cannot be stored: ${messageOf(error)}`, { cause: error });
		}
		return { before, after: book.find(id) ?? before };
	}

	const reading: ReadingListener = (one) => {
		stamps.comparing(one);
		engine.reading(one);
	};
	const device: DeviceListener = {
		changed({ id, deletedAt }) {
			settle(book.open(id));
			if (deletedAt === null) engine.deviceChanged(id);
			else engine.forget(id);
		},
	};
	const exchange = createAlarmExchange({
		rules,
		book,
		raiser,
		node,
		deviceOf: (id) => devices.find(id),
		apply,
		notify,
		onConflict,
		stamps,
		restored: (id) => {
			engine.deviceChanged(id);
			settle(book.open(id));
		},
		clock,
		log,
	});
	rulesChanged();

	return {
		/** To be called for each reading, on its way. */
		reading,
		device,
		/** Alerts that nobody has acknowledged, newest first. */
		unacknowledged: ({ skip, limit }: Window, actor: Actor): readonly Alert[] =>
			book.newestFirst((alert) => isUnseen(alert, actor)).slice(skip, skip + limit),
		/** Alerts that somebody has acknowledged, newest first. */
		acknowledged: ({ skip, limit }: Window, actor: Actor): readonly Alert[] =>
			book.newestFirst((alert) => isAcknowledged(alert) && isVisible(alert, actor)).slice(skip, skip + limit),
		/** How many alerts nobody has acknowledged: of the box, or of those the actor may see. */
		activeAlerts: (actor?: Actor): number => book.newestFirst((alert) => isUnseen(alert, actor)).length,
		/** Durable when it resolves. @throws Fault `not-found`, `state-conflict`, `unavailable` */
		acknowledge,
		/** Newest first. */
		rules: ({ skip, limit }: Window, actor: Actor): readonly AlertRule[] =>
			rules
				.living()
				.filter((rule) => isInTenantOf(actor, rule))
				.toSorted((one, other) => other.createdAt - one.createdAt || (one.id < other.id ? -1 : 1))
				.slice(skip, skip + limit),
		/** @throws Fault `not-found` */
		rule: ruleOf,
		/** Durable, and compared with each reading, when it resolves. @throws Fault `rule-violation` */
		addRule: (wanted: NewAlertRule, actor: Actor): Promise<AlertRule> => gate.run(() => addRule(wanted, actor)),
		/** One that asks something else clears its alerts and begins anew. @throws Fault `not-found`, `rule-violation` */
		changeRule: (
			id: string,
			change: AlertRuleChange,
			actor: Actor,
			expected?: RevisionCheck,
		): Promise<Changed<AlertRule>> => gate.run(() => changeRule(id, change, actor, expected)),
		/** Its alerts stay until they are acknowledged. @throws Fault `not-found` */
		removeRule: (id: string, actor: Actor, expected?: RevisionCheck): Promise<AlertRule> =>
			gate.run(() => removeRule(id, actor, expected)),
		/** Takes what another box knows; the caller has checked that it may say so. Rules are on disk when it resolves; alerts after `flush`. */
		takeRule: (rule: AlertRule): Promise<AlertRule> => gate.run(() => exchange.takeRule(rule)),
		takeAlert: exchange.takeAlert,
		/** A rule whose id is taken, deleted ones included. */
		findRule: rules.find,
		findAlert: book.find,
		/** Everything put before is on disk when it resolves. @throws when the disk refuses */
		flush: book.flush,
		/** Every alert of what was read so far is on disk. */
		isStored: book.isStored,
		/** Compares readings of before the start once more: what they raised may not have reached the disk. */
		replay: (readings: AsyncIterable<Reading>): Promise<void> =>
			raiser.replaying(async () => {
				for await (const one of readings) reading(one);
			}),
		/** More of the time is known: moves what was stamped without it, which may be told from then on. */
		settle: (): void => {
			for (const alert of book.newestFirst(({ unsettled }) => unsettled !== undefined)) {
				const settled = stamps.settled(alert);
				if (settled !== alert) book.put({ ...settled, revision: alert.revision + 1 }, 'now');
			}
		},
		stop: () => book.stop(),
	};
}

export type AlarmService = Awaited<ReturnType<typeof openAlarmService>>;
