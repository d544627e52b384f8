import type { AuditEvent } from '../audit/audit.ts';
import type { RuleConflict } from './alarm-exchange.ts';
import { alertRuleView } from './alarm-schema.ts';

/** The line of the audit log that keeps what a person has changed and another change has overruled. */
export const conflictEvent = ({ kept, loser }: RuleConflict): AuditEvent => ({
	action: 'alert-rule-conflict',
	outcome: 'done',
	actor: null,
	tenantId: kept.tenantId,
	from: '',
	target: kept.id,
	reason: 'hub and gateway have both changed it; the later version counts, this one gave way',
	before: alertRuleView(loser),
	after: alertRuleView(kept),
	requestId: null,
});
