import type { AlertRule } from './alert-rule.ts';

/** Where alert rules are kept. What a promise confirms is on disk. */
export interface AlertRuleRepository {
	all(): Promise<readonly AlertRule[]>;
	/** Inserts the rule or replaces the one with its id. */
	save(rule: AlertRule): Promise<void>;
	remove(id: string): Promise<void>;
}
