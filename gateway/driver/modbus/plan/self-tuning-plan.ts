import type { Line } from '../../../../config/connection/connection.ts';
import type { TemplatePoint } from '../../../../config/template/template.ts';
import { type CostMeter, createCostMeter } from './cost-meter.ts';
import { type LineCost, readCostMs } from './line-cost.ts';
import type { PlanLimits, ReadRequest } from './request-plan.ts';

/** Packs points into the reads that cost this line the least. */
export type PlanReads = (
	points: readonly TemplatePoint[],
	cost: LineCost,
	limits: PlanLimits,
) => readonly ReadRequest[];

/** A plan is looked at again after so many answers for the first time, and then this seldom. */
const FIRST_LOOK_ANSWERS = 20;
const LOOK_EVERY_MS = 300_000;
/** What has to have changed about the price of a request, counted in registers, to look at all; and what a new plan has to save. */
const MOVED_BY = 1.25;
const WORTH = 0.9;

/** Plans with what the line really costs, and says when another plan would be worth it. */
export interface SelfTuningPlan extends Pick<CostMeter, 'cost'> {
	plan(points: readonly TemplatePoint[], limits: PlanLimits): readonly ReadRequest[];
	/** An answer came. @returns whether the points should be planned anew: at most each five minutes */
	answered(request: ReadRequest, latencyMs: number, nowMs: number, inUse: () => readonly ReadRequest[]): boolean;
}

const totalMs = (requests: readonly ReadRequest[], cost: LineCost): number =>
	requests.reduce((sum, { functionCode, count }) => sum + readCostMs(functionCode, count, cost), 0);

const registersPerRequest = ({ requestMs, registerMs }: LineCost): number => requestMs / registerMs;

export function createSelfTuningPlan(
	{ line, guardMs }: { readonly line: Line; readonly guardMs: number },
	plan: PlanReads,
	limits: () => PlanLimits,
): SelfTuningPlan {
	const meter = createCostMeter(line, guardMs);
	let plannedWith = meter.cost();
	let answers = 0;
	let lookAgainMs = Number.NEGATIVE_INFINITY;

	function isWorthIt(requests: readonly ReadRequest[]): boolean {
		const now = meter.cost();
		const moved = registersPerRequest(now) / registersPerRequest(plannedWith);
		if (moved < MOVED_BY && moved > 1 / MOVED_BY) return false;
		const fresh = plan(
			requests.flatMap(({ points }) => points),
			now,
			limits(),
		);
		const isBetter = totalMs(fresh, now) < WORTH * totalMs(requests, now);
		// Planned with either cost, it comes to the same.
		plannedWith = now;
		return isBetter;
	}

	return {
		plan: (points, within) => plan(points, plannedWith, within),
		cost: () => meter.cost(),
		answered(request, latencyMs, nowMs, inUse) {
			meter.add(request, latencyMs);
			answers += 1;
			if (answers < FIRST_LOOK_ANSWERS || nowMs < lookAgainMs) return false;
			lookAgainMs = nowMs + LOOK_EVERY_MS;
			return isWorthIt(inUse());
		},
	};
}
