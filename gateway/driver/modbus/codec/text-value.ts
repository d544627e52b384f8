import type { RegisterType, TemplatePoint } from '../../../../config/template/template.ts';
import { fieldReader } from './byte-order.ts';
import { timeText } from './time-value.ts';

/** A text from an answer; `null` when its bytes have none. */
export type TextReader = (data: Buffer) => string | null;

const EUI48_BYTES = 6;

/** UTF-8 up to the first NUL, without trailing blanks: makers pad with either. */
function plainText(bytes: Buffer): string {
	const nul = bytes.indexOf(0);
	return bytes.toString('utf8', 0, nul === -1 ? bytes.length : nul).trimEnd();
}

/** Groups of bytes in hex, with a colon between. */
const colons = (bytes: Buffer, group: number): string =>
	(
		bytes
			.toString('hex')
			.toUpperCase()
			.match(new RegExp(`.{${2 * group}}`, 'g')) ?? []
	).join(':');

const forms: Readonly<Partial<Record<RegisterType, (bytes: Buffer) => string>>> = {
	string: plainText,
	raw: (bytes) => bytes.toString('hex').toUpperCase(),
	eui48: (bytes) => colons(bytes.subarray(-EUI48_BYTES), 1),
	ipv4: (bytes) => bytes.join('.'),
	ipv6: (bytes) => colons(bytes, 2),
};

/**
 * Reads a point whose values are text, from byte `at` on.
 * @throws RangeError when the type gives no text
 */
export function textReader(point: TemplatePoint, at: number): TextReader {
	const field = fieldReader(point.byteOrder, at, 2 * point.count);
	const form = forms[point.type] ?? timeText(point);
	if (form === null) throw new RangeError(`${point.key}: no text in type ${point.type}`);
	return (data) => form(field(data));
}
