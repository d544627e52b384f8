import type { Plan } from '../kit/case.ts';
import { nameOf, type Operation } from '../kit/document.ts';
import { analyticsPlans } from './analytics-plans.ts';
import { authPlans } from './auth-plans.ts';
import { commandPlans } from './command-plans.ts';
import { devicePlans } from './device-plans.ts';
import { monitoringPlans } from './monitoring-plans.ts';
import { systemPlans } from './system-plans.ts';
import { telemetryPlans } from './telemetry-plans.ts';
import { userPlans } from './user-plans.ts';

const PLANS: Readonly<Record<string, Plan>> = {
	...authPlans,
	...userPlans,
	...devicePlans,
	...telemetryPlans,
	...commandPlans,
	...monitoringPlans,
	...analyticsPlans,
	...systemPlans,
};

/** How the operation is called. @throws Error when nobody has written it down */
export function planOf(operation: Operation): Plan {
	const plan = PLANS[operation.id];
	if (plan === undefined) throw new Error(`${nameOf(operation)} (${operation.id}) has no plan`);
	return plan;
}

/** Plans of operations that no document has. */
export const plansBeyond = (operations: readonly Operation[]): readonly string[] =>
	Object.keys(PLANS).filter((id) => !operations.some((operation) => operation.id === id));
