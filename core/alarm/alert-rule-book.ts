import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { GatewayId } from '../kernel/id.ts';
import type { AlertRuleRepository } from './alert-rule-repository.ts';
import { type AlertRule, MAX_ALERT_RULES, MAX_RULE_GRAVES, RULE_GRAVE_MS } from './alert-rule.ts';

/** All rules in memory over their repository, with those that were deleted lately. Changes come one after the other. */
export async function openAlertRuleBook({
	repository,
	clock,
}: {
	readonly repository: AlertRuleRepository;
	readonly clock: Pick<Clock, 'now'>;
}) {
	const rules = new Map((await repository.all()).map((rule) => [rule.id, rule]));

	const ofScope = (scope: GatewayId | null, isDeleted: boolean): readonly AlertRule[] =>
		[...rules.values()].filter(({ gatewayId, deletedAt }) => gatewayId === scope && (deletedAt !== null) === isDeleted);

	/** Deleted rules that nobody has to hear of any more. */
	function forgettable({ gatewayId }: AlertRule): readonly string[] {
		const graves = ofScope(gatewayId, true).toSorted((one, other) => (other.deletedAt ?? 0) - (one.deletedAt ?? 0));
		const before = clock.now() - RULE_GRAVE_MS;
		return graves
			.filter(({ deletedAt }, index) => index >= MAX_RULE_GRAVES || (deletedAt ?? 0) < before)
			.map(({ id }) => id);
	}

	return {
		/** Also finds deleted rules. */
		find: (id: string): AlertRule | null => rules.get(id) ?? null,
		living: (): readonly AlertRule[] => [...rules.values()].filter(({ deletedAt }) => deletedAt === null),
		/** @throws Fault `rule-violation` when there are as many of the gateway, or for all, as there may be */
		assertRoom(scope: GatewayId | null): void {
			if (ofScope(scope, false).length < MAX_ALERT_RULES) return;
			throw new Fault('rule-violation', `this box takes ${MAX_ALERT_RULES} alert rules at most`);
		},
		/** Durable when it resolves. */
		async keep(rule: AlertRule): Promise<void> {
			await repository.save(rule);
			rules.set(rule.id, rule);
			if (rule.deletedAt === null) return;
			for (const id of forgettable(rule)) {
				await repository.remove(id);
				rules.delete(id);
			}
		},
	};
}

export type AlertRuleBook = Awaited<ReturnType<typeof openAlertRuleBook>>;
