import type { DeviceTemplate, TemplatePoint } from '../../config/template/template.ts';
import { fieldFault } from '../../core/kernel/fault.ts';
import {
	MAX_COILS_PER_WRITE,
	MAX_REGISTERS_PER_READ_WRITE,
	MAX_REGISTERS_PER_WRITE,
} from '../driver/modbus/wire/modbus-line.ts';
import type { PlannedWrite } from './write-plan.ts';

/** The registers or coils that the points of one block have together. */
export interface WriteBlock {
	readonly name: string;
	readonly functionCode: 15 | 16 | 23;
	readonly address: number;
	readonly count: number;
}

/** Most registers or coils of one write. */
const MOST: Readonly<Record<WriteBlock['functionCode'], number>> = {
	15: MAX_COILS_PER_WRITE,
	16: MAX_REGISTERS_PER_WRITE,
	23: MAX_REGISTERS_PER_READ_WRITE,
};

/** Whether a point is in registers; the others are coils. */
export const isRegister = ({ functionCode }: Pick<TemplatePoint, 'functionCode'>): boolean => functionCode > 2;

/** Where a point is written. */
export const writeAddress = ({ write, address }: TemplatePoint): number => write?.address ?? address;

/** Whether what is read of a point is what is written: the same register or coil, which can be read. */
export const isReadWhereWritten = (point: TemplatePoint): boolean =>
	point.access !== 'w' &&
	writeAddress(point) === point.address &&
	(point.functionCode === 1 || point.functionCode === 3);

function functionOf(members: readonly TemplatePoint[]): WriteBlock['functionCode'] {
	if (members.some((point) => !isRegister(point))) return 15;
	return members.some(({ write }) => write?.function === 23) ? 23 : 16;
}

/** The first word of the block that belongs to none of its points; `null` when there is none. */
function gapOf(members: readonly TemplatePoint[], first: number, end: number): number | null {
	let next = first;
	for (const point of members.toSorted((a, b) => writeAddress(a) - writeAddress(b))) {
		if (writeAddress(point) > next) return next;
		next = Math.max(next, writeAddress(point) + point.count);
	}
	return next < end ? next : null;
}

function shapeFault(members: readonly TemplatePoint[], { functionCode, address, count }: WriteBlock): string | null {
	if (members.some(isRegister) && functionCode === 15) return 'has both registers and coils';
	if (count > MOST[functionCode])
		return `has ${count} from ${address} on; one write of function ${functionCode} carries ${MOST[functionCode]}`;
	const gap = gapOf(members, address, address + count);
	return gap === null ? null : `has a gap at ${gap}, which belongs to none of its points`;
}

/**
 * The block of a template that the points belong to. Points of it that are not given are read and written as they are.
 * @throws Fault `rule-violation` of `payload.points` when one request cannot carry it, or when it lacks a point that cannot be read
 */
export function writeBlock(template: DeviceTemplate, name: string, given: readonly PlannedWrite[]): WriteBlock {
	const members = template.points.filter(({ write, access }) => write?.block === name && access !== 'r');
	const address = Math.min(...members.map(writeAddress));
	const end = Math.max(...members.map((point) => writeAddress(point) + point.count));
	const block = { name, functionCode: functionOf(members), address, count: end - address };
	const [first] = given;
	const member = first === undefined || first.place === '' ? 'point' : 'points';
	const fault = (rule: string) => fieldFault('rule-violation', `payload.${member}`, rule);
	const misshapen = shapeFault(members, block);
	if (misshapen !== null) throw fault(`must be of a block that one request can carry; ${name} ${misshapen}`);
	const isGiven = (point: TemplatePoint): boolean => given.some((each) => each.point.key === point.key);
	const missing = members.filter((point) => !isGiven(point) && !isReadWhereWritten(point)).map(({ key }) => key);
	if (missing.length > 0)
		throw fault(
			`must give all of block ${name} that cannot be read where it is written; found none for ${missing.join(', ')}`,
		);
	return block;
}
