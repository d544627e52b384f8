import type { DeviceId } from '../../../../core/kernel/id.ts';
import { type LineCost, readCostMs } from './line-cost.ts';
import type { ReadRequest } from './request-plan.ts';

/** A read with the period in which it is repeated, ms; `Infinity`: it is not. */
export type RepeatedRead = Pick<ReadRequest, 'functionCode' | 'count'> & { readonly periodMs: number };

/** What one device asks of its line. */
export interface BusNeed {
	/** `null` for one that is not saved yet. */
	readonly device: DeviceId | null;
	readonly name: string;
	readonly cost: LineCost;
	readonly reads: readonly RepeatedRead[];
}

export interface DeviceBudget {
	readonly device: DeviceId | null;
	readonly name: string;
	/** Seconds of the line that it needs in each second. */
	readonly needShare: number;
	readonly requestsPerSecond: number;
}

/** The time that a line's configuration needs against the time that there is. */
export interface LineBudget {
	readonly line: string;
	/** Seconds of the line that its devices need in each second; above 1 periods are skipped. */
	readonly needShare: number;
	readonly devices: readonly DeviceBudget[];
	/** What is wrong and what would help; `null` while the line has time enough. */
	readonly sentence: string | null;
}

function deviceBudget({ device, name, cost, reads }: BusNeed, depth: number): DeviceBudget {
	let needShare = 0;
	let requestsPerSecond = 0;
	for (const { functionCode, count, periodMs } of reads) {
		needShare += readCostMs(functionCode, count, cost) / periodMs / depth;
		requestsPerSecond += 1000 / periodMs;
	}
	return { device, name, needShare, requestsPerSecond };
}

/** Two digits are as much as the cost model knows. */
const short = (value: number): string => String(Number(value.toPrecision(2)));

function sentenceOf(line: string, needShare: number, devices: readonly DeviceBudget[]): string | null {
	if (needShare <= 1) return null;
	const most = devices.reduce<DeviceBudget | null>((a, b) => (a !== null && a.needShare >= b.needShare ? a : b), null);
	const whose = most === null || devices.length === 1 ? '' : `, ${short(most.needShare)} s of it for ${most.name}`;
	return (
		`${line} needs ${short(needShare)} s per 1 s (${Math.round(100 * needShare)} %)${whose}: periods will be skipped; ` +
		`periods ${short(Math.ceil(10 * needShare) / 10)} times as long, fewer points or a faster line would do`
	);
}

/**
 * What the devices of a line need of its time, from the plans of their reads and what a read costs.
 * @param line its name, for the sentence
 * @param depth requests that the line carries at once
 */
export function budgetOf(line: string, needs: readonly BusNeed[], depth: number): LineBudget {
	const devices = needs.map((need) => deviceBudget(need, depth));
	const needShare = devices.reduce((sum, each) => sum + each.needShare, 0);
	return { line, needShare, devices, sentence: sentenceOf(line, needShare, devices) };
}
