import type { ModbusConnection } from '../../../../config/connection/connection.ts';
import type { DeviceTemplate } from '../../../../config/template/template.ts';
import type { DeviceId } from '../../../../core/kernel/id.ts';
import type { BusNeed } from './bus-budget.ts';
import { createCostMeter } from './cost-meter.ts';
import type { LineCost } from './line-cost.ts';
import { createReadBook } from './read-book.ts';
import type { PlanReads } from './self-tuning-plan.ts';

/** A device as it would be saved. */
export interface PolledDraft {
	/** The device it replaces; `null`: a new one. */
	readonly device: DeviceId | null;
	readonly name: string;
	readonly connection: ModbusConnection;
}

/**
 * What a device that is not saved yet would need of its line. Pure.
 * @param cost what reads of it cost as far as that was measured; absent: as of a usual device
 */
export function draftNeed(
	{ device, name, connection }: PolledDraft,
	template: DeviceTemplate,
	plan: PlanReads,
	cost?: LineCost,
): BusNeed {
	const { tuning = {}, line, periodMs } = connection;
	const price = cost ?? createCostMeter(line, tuning.guardMs ?? template.guardMs).cost();
	const book = createReadBook({
		template,
		maxRegisters: tuning.maxRegisters,
		timing: { periodMs, tuning, phase: 0, startMs: 0 },
		plan: (points, limits) => plan(points, price, limits),
	});
	return { device, name, cost: price, reads: book.repeated() };
}
