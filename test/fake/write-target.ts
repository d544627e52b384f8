import type { TemplatePoint, WriteRule } from '../../config/template/template.ts';
import { point } from './plain-plan.ts';

/** A point that can be written, and is read only for a write: the poll leaves it alone. */
export const target = (
	key: string,
	address: number,
	write: WriteRule,
	more: Partial<TemplatePoint> = {},
): TemplatePoint =>
	point(key, address, { access: 'rw', poll: 'on-demand', ...(Object.keys(write).length > 0 && { write }), ...more });

export const BIT = { type: 'bit', bit: 3 } as const;
export const COIL = { type: 'bool', functionCode: 1 } as const;
export const LONG = { type: 'uint32', count: 2, byteOrder: 'ABCD' } as const;
