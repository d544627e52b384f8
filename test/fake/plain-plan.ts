import type { DeviceTemplate, ReadFunction, TemplatePoint } from '../../config/template/template.ts';
import type { PlanReads } from '../../gateway/driver/modbus/plan/self-tuning-plan.ts';
import type { DeviceReader } from '../../gateway/driver/modbus/codec/device-reader.ts';
import type { PlanLimits, ReadRequest } from '../../gateway/driver/modbus/plan/request-plan.ts';
import { modbusPoint } from './modbus-point.ts';

export const point = (key: string, address: number, more: Partial<TemplatePoint> = {}): TemplatePoint =>
	modbusPoint({ key, name: key, address, ...more });

export const template = (points: readonly TemplatePoint[], more: Partial<DeviceTemplate> = {}): DeviceTemplate => ({
	key: 'plain',
	manufacturer: 'Test',
	model: 'Plain',
	category: 'meter',
	maxRegistersPerRead: 125,
	guardMs: 0,
	points,
	...more,
});

const isFree = (functionCode: ReadFunction, first: number, last: number, { holes }: PlanLimits): boolean =>
	!holes.some((hole) => hole.functionCode === functionCode && hole.first <= last && hole.last >= first);

function joined(request: ReadRequest, next: TemplatePoint, limits: PlanLimits): ReadRequest | null {
	const count = next.address + next.count - request.address;
	const limit = next.functionCode <= 2 ? limits.maxBits : limits.maxRegisters;
	const end = request.address + request.count;
	if (request.functionCode !== next.functionCode || count > limit) return null;
	if (!isFree(next.functionCode, end, next.address - 1, limits)) return null;
	const points = [...request.points, next];
	return { ...request, count, points, keys: points.map(({ key }) => key) };
}

/** Merges everything that the limits allow: what a planner does on a line where requests are dear. */
export const plainPlan: PlanReads = (points, _cost, limits) => {
	const requests: ReadRequest[] = [];
	for (const next of points.toSorted((a, b) => a.functionCode - b.functionCode || a.address - b.address)) {
		const last = requests.at(-1);
		const merged = last === undefined ? null : joined(last, next, limits);
		if (merged !== null) requests[requests.length - 1] = merged;
		else {
			const { functionCode, address, count } = next;
			requests.push({ functionCode, address, count, points: [next], keys: [next.key] });
		}
	}
	return requests;
};

/** Each point is one register. */
export const plainReader = (): DeviceReader => ({
	read: ({ points, address: first }, data) => ({
		values: points.map(({ address }) => data.readUInt16BE(2 * (address - first))),
		qualities: null,
	}),
	forget() {},
});
