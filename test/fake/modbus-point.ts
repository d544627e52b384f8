import { plainPoint } from '../../config/template/plain-point.ts';
import type { TemplatePoint } from '../../config/template/template.ts';

/** A readable point; a test names what matters to it. */
export const modbusPoint = (over: Partial<TemplatePoint> = {}): TemplatePoint => ({
	...plainPoint({ functionCode: 3, address: 0, count: 1, type: 'uint16', byteOrder: 'AB' }),
	...over,
});
