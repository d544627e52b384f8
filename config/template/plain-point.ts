import type { TemplatePoint } from './template.ts';

/** Where a point is read, and how its bytes are meant. */
type PointPlace = Pick<TemplatePoint, 'functionCode' | 'address' | 'count' | 'type' | 'byteOrder'>;

/** A measurement of which nothing is said but its place: not scaled, not limited, read-only. Equals what the schema fills in. */
export const plainPoint = (place: PointPlace): TemplatePoint => ({
	key: 'value',
	name: 'Value',
	...place,
	scale: 1,
	offset: 0,
	unit: '',
	kind: 'measurement',
	access: 'r',
	invalid: [],
	enum: null,
	min: null,
	max: null,
});
