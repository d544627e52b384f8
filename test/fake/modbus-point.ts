import type { TemplatePoint } from '../../config/template/template.ts';

/** A readable point; a test names what matters to it. */
export const modbusPoint = (over: Partial<TemplatePoint> = {}): TemplatePoint => ({
	key: 'value',
	name: 'Value',
	functionCode: 3,
	address: 0,
	count: 1,
	type: 'uint16',
	byteOrder: 'AB',
	scale: 1,
	offset: 0,
	unit: '',
	kind: 'measurement',
	access: 'r',
	invalid: [],
	enum: null,
	min: null,
	max: null,
	...over,
});
