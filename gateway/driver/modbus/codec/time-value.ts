import type { RegisterType, TemplatePoint, TimeType } from '../../../../config/template/template.ts';

/** Year, month (1 to 12), day, hour, minute, second, millisecond. */
export type ClockFields = readonly [
	year: number,
	month: number,
	day: number,
	hour: number,
	minute: number,
	second: number,
	ms: number,
];

/** How a time is laid out in its bytes, most significant first. */
interface TimeForm {
	readonly read: (bytes: Buffer) => ClockFields | null;
	/** Puts a time into bytes that are all 0; what it gives up is refused by reading back. */
	readonly write: (bytes: Buffer, fields: ClockFields) => void;
	readonly zone: 'utc' | 'local';
}

const SECOND_MS = 1000;
const SINCE_2000_S = 946_684_800;
/** The last second of the year 9999, beyond which a year has no four digits. */
const LAST_S = 253_402_300_799;
const CENTURY = 2000;

const MONTH_MASK = 0x0f;
const DAY_MASK = 0x1f;
const HOUR_MASK = 0x1f;
const MINUTE_MASK = 0x3f;
const YEAR_MASK = 0x7f;
/** IEC 60870-5-4: this bit of the minute says that the time is not valid. */
const INVALID_BIT = 0x80;

function fieldsOf(ms: number): ClockFields | null {
	if (!(ms >= 0 && ms <= LAST_S * SECOND_MS)) return null;
	const date = new Date(ms);
	return [
		date.getUTCFullYear(),
		date.getUTCMonth() + 1,
		date.getUTCDate(),
		date.getUTCHours(),
		date.getUTCMinutes(),
		date.getUTCSeconds(),
		date.getUTCMilliseconds(),
	];
}

const msOf = ([year, month, day, hour, minute, second, ms]: ClockFields): number =>
	Date.UTC(year, month - 1, day, hour, minute, second, ms);

/** A count of time units since an instant. */
const counted = (bytes: 4 | 8, unitMs: number, epochS: number): TimeForm => ({
	read: (data) => {
		const units = bytes === 4 ? data.readUInt32BE() : Number(data.readBigUInt64BE());
		return fieldsOf(units * unitMs + epochS * SECOND_MS);
	},
	write(data, fields) {
		const units = Math.floor((msOf(fields) - epochS * SECOND_MS) / unitMs);
		if (bytes === 8) data.writeBigUInt64BE(BigInt(Math.max(0, units)));
		else data.writeUInt32BE(Math.min(Math.max(0, units), 2 ** 32 - 1));
	},
	zone: 'utc',
});

/** One number for each of year, month, day, hour, minute and second. */
const six = (
	numberAt: (data: Buffer, index: number) => number,
	put: (data: Buffer, index: number, value: number) => void,
): TimeForm => ({
	read(data) {
		const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = [0, 1, 2, 3, 4, 5].map((index) =>
			numberAt(data, index),
		);
		return [year < 100 ? CENTURY + year : year, month, day, hour, minute, second, 0];
	},
	write(data, [year, ...others]) {
		[year - CENTURY, ...others.slice(0, 5)].forEach((value, index) => put(data, index, value));
	},
	zone: 'local',
});

/** Two decimal digits in one byte; a digit beyond 9 makes no number. */
const digitsOf = (byte: number): number =>
	byte > 0x99 || (byte & 0x0f) > 9 ? Number.NaN : (byte >> 4) * 10 + (byte & 0x0f);

const byteOf = (value: number): number => (value >= 0 && value <= 0xff ? value : 0);

const timeForms: Readonly<Record<TimeType, TimeForm>> = {
	time_unix32: counted(4, SECOND_MS, 0),
	time_since2000: counted(4, SECOND_MS, SINCE_2000_S),
	time_unix64: counted(8, SECOND_MS, 0),
	time_unix64ms: counted(8, 1, 0),
	time_bytes: six(
		(data, index) => data.readUInt8(index),
		(data, index, value) => data.writeUInt8(byteOf(value), index),
	),
	time_bcd: six(
		(data, index) => digitsOf(data.readUInt8(index)),
		(data, index, value) => data.writeUInt8(byteOf(Math.floor(value / 10) * 16 + (value % 10)), index),
	),
	time_registers: six(
		(data, index) => data.readUInt16BE(2 * index),
		(data, index, value) => data.writeUInt16BE(index === 0 ? CENTURY + value : value, 2 * index),
	),
	time_iec: {
		read(data) {
			const minute = data.readUInt8(5);
			if ((minute & INVALID_BIT) !== 0) return null;
			const ms = data.readUInt16BE(6);
			return [
				CENTURY + (data.readUInt8(1) & YEAR_MASK),
				data.readUInt8(2) & MONTH_MASK,
				data.readUInt8(3) & DAY_MASK,
				data.readUInt8(4) & HOUR_MASK,
				minute & MINUTE_MASK,
				Math.floor(ms / SECOND_MS),
				ms % SECOND_MS,
			];
		},
		write(data, [year, month, day, hour, minute, second, ms]) {
			data.writeUInt8((year - CENTURY) & YEAR_MASK, 1);
			data.writeUInt8(month, 2);
			data.writeUInt8(day, 3);
			data.writeUInt8(hour, 4);
			data.writeUInt8(minute, 5);
			data.writeUInt16BE(second * SECOND_MS + ms, 6);
		},
		zone: 'local',
	},
};

const isTime = (type: RegisterType): type is TimeType => type in timeForms;

const zoneSign = (point: TemplatePoint, form: TimeForm): string => ((point.zone ?? form.zone) === 'utc' ? 'Z' : '');

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');

/** ISO 8601; milliseconds only where there are some. `null` when the fields are no instant of the calendar. */
function isoText(fields: ClockFields): string | null {
	const [year, month, day, hour, minute, second, ms] = fields;
	const back = fieldsOf(msOf(fields));
	if (back === null || back.some((value, index) => value !== fields[index])) return null;
	const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
	return `${date}T${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}${ms === 0 ? '' : `.${pad(ms, 3)}`}`;
}

/** How the bytes of a time are read, most significant first; `null` when the point is none. */
export function timeText(point: TemplatePoint): ((bytes: Buffer) => string | null) | null {
	if (!isTime(point.type)) return null;
	const form = timeForms[point.type];
	const sign = zoneSign(point, form);
	return (bytes) => {
		const fields = form.read(bytes);
		const text = fields === null ? null : isoText(fields);
		return text === null ? null : `${text}${sign}`;
	};
}

const ISO = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{3}))?(Z?)$/;

/** The fields of a text; `null` when it is no time. */
function parsedFields(text: string): ClockFields | null {
	const match = ISO.exec(text);
	if (match === null) return null;
	const numbers = match.slice(1, 8).map((part) => Number(part ?? 0));
	const [year = 0, month = 0, day = 0, hour = 0, minute = 0, ...rest] = numbers;
	const fields: ClockFields = [year, month, day, hour, minute, rest[0] ?? 0, rest[1] ?? 0];
	return isoText(fields) === null ? null : fields;
}

/** The bytes that are read as this text; `null` when there are none. */
export function timeBytes(point: TemplatePoint, text: string): Buffer | null {
	const fields = parsedFields(text);
	if (fields === null || !isTime(point.type)) return null;
	const bytes = Buffer.alloc(2 * point.count);
	timeForms[point.type].write(bytes, fields);
	return timeText(point)?.(bytes) === text ? bytes : null;
}
