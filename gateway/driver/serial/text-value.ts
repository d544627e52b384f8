import type { TextForm, TextMeaning } from '../../../config/template/serial-format.ts';

type Scalar = number | bigint | string | null;

/** The number of a text; scales put blanks between sign and digits. */
const NUMBER = /^([+-]?)\s*((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)$/;
const DIGITS = /^\d+$/;
const ANGLE = /^(\d{1,3})(\d{2}(?:\.\d*)?)$/;
const DSMR_TIME = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})([SW])$/;
const MINUTES_PER_DEGREE = 60;

/** Whole numbers beyond 2^53 stay exact. */
function numberOf(text: string): number | bigint | null {
	const found = NUMBER.exec(text);
	if (found === null) return null;
	const [, sign = '', digits = ''] = found;
	const value = Number(`${sign}${digits}`);
	if (DIGITS.test(digits) && !Number.isSafeInteger(value)) return BigInt(digits) * (sign === '-' ? -1n : 1n);
	return Number.isFinite(value) ? value : null;
}

/** NMEA 0183: degrees and minutes without anything between them. */
function angleOf(text: string): number | null {
	const found = ANGLE.exec(text);
	if (found === null) return null;
	const minutes = Number(found[2]);
	return minutes >= MINUTES_PER_DEGREE ? null : Number(found[1]) + minutes / MINUTES_PER_DEGREE;
}

/** DSMR P1 5.0.2, 6.4: local time of Central Europe, which says whether it is summer time. */
function dsmrTimeOf(text: string): string | null {
	const found = DSMR_TIME.exec(text);
	if (found === null) return null;
	const [, year, month, day, hour, minute, second, season] = found;
	const iso = `20${year}-${month}-${day}T${hour}:${minute}:${second}${season === 'S' ? '+02:00' : '+01:00'}`;
	return Number.isNaN(Date.parse(iso)) ? null : iso;
}

const readers: Readonly<Record<TextForm, (text: string) => Scalar>> = {
	number: numberOf,
	text: (text) => (text === '' ? null : text),
	angle: angleOf,
	dsmr_time: dsmrTimeOf,
};

/** What a text says; `null` when it says nothing of this form. */
export function meaningOf(text: string, { form, codes }: TextMeaning): Scalar {
	const trimmed = text.trim();
	return codes === null ? readers[form](trimmed) : (codes.get(trimmed) ?? null);
}
