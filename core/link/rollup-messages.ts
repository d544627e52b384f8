import Joi from 'joi';

import { goodCount, type Rollup } from '../history/rollup.ts';
import { HOUR_MS, LEVEL_FACTS, type RollupLevel } from '../history/rollup-level.ts';
import type { ReceivedHour } from '../history/rollup-maker.ts';
import { decodeRecord, encodeRecord, type RollupRecord } from '../history/rollup-record.ts';
import type { KeptHour } from '../history/rollups.ts';
import { Fault } from '../kernel/fault.ts';
import { checkedLinkMessage } from './link-messages.ts';

/** Hours of devices whose samples the gateway has let go: the sums over them, and their minutes where it has them. */
interface RollupHours {
	readonly hours: readonly { readonly hour: string; readonly minutes: string | null }[];
}

/** Most hours in one message, and the characters after which the next message begins (one hour may be larger). */
export const MAX_ROLLUP_HOURS = 200;
export const ROLLUP_CHARACTERS = 64 * 1024;
/** Largest record of one hour, as base64. */
const MAX_RECORD_CHARACTERS = 1_400_000;
/** More points than this are summed up by nobody. */
const MAX_POINTS = 5_000;

const record = Joi.string().base64().max(MAX_RECORD_CHARACTERS);

const schema = Joi.object<RollupHours>({
	hours: Joi.array()
		.items(Joi.object({ hour: record.required(), minutes: record.allow(null).required() }))
		.max(MAX_ROLLUP_HOURS)
		.required(),
});

const SLOTS: Readonly<Record<'hour' | 'minute', number>> = { hour: 1, minute: 60 };

function recordOf(level: Extract<RollupLevel, 'hour' | 'minute'>, text: string): RollupRecord {
	let found: RollupRecord;
	try {
		found = decodeRecord(level, Buffer.from(text, 'base64'), null);
	} catch (error) {
		throw new Fault('rule-violation', `rollups: no record of ${level}s`, { cause: error });
	}
	const { group, slots, points } = found;
	const isGroup = Number.isSafeInteger(group) && LEVEL_FACTS[level].groupStart(group) === group;
	const isAscending = slots.every((slot, index) => slot > (slots[index - 1] ?? -1));
	const last = slots.at(-1) ?? Number.POSITIVE_INFINITY;
	const highest = level === 'hour' ? 23 : 59;
	if (!isGroup || !isAscending || slots.length !== SLOTS[level] || last > highest)
		throw new Fault('rule-violation', `rollups: a record of ${level}s must be of one hour`);
	if (points.size > MAX_POINTS)
		throw new Fault('rule-violation', `rollups: ${points.size} points, ${MAX_POINTS} may be`);
	return found;
}

function hourOf(hour: string, minutes: string | null): ReceivedHour {
	const { device, group, slots, points } = recordOf('hour', hour);
	const hourMs = group + (slots[0] ?? 0) * HOUR_MS;
	const parts = minutes === null ? null : recordOf('minute', minutes);
	if (parts !== null && (parts.device !== device || parts.group !== hourMs))
		throw new Fault('rule-violation', 'rollups: the minutes are of another hour');
	let samples = 0;
	const sums = new Map<string, { readonly isCounter: boolean; readonly rollup: Rollup }>();
	for (const [
		name,
		{
			isCounter,
			slots: [rollup],
		},
	] of points) {
		if (rollup === null || rollup === undefined) continue;
		samples += goodCount(rollup) + rollup.bad;
		sums.set(name, { isCounter, rollup });
	}
	return { device, hourMs, samples, hour: sums, minutes: parts?.points ?? null };
}

/** @throws Fault `rule-violation` naming the message, the field and the rule */
export const parseRollups = (payload: Uint8Array): readonly ReceivedHour[] =>
	checkedLinkMessage('rollups', schema, payload).hours.map(({ hour, minutes }) => hourOf(hour, minutes));

/** One hour as it travels. */
export const rollupHour = ({ hour, minutes }: KeptHour): RollupHours['hours'][number] => ({
	hour: encodeRecord('hour', hour).toString('base64'),
	minutes: minutes === null ? null : encodeRecord('minute', minutes).toString('base64'),
});

export const rollupsMessage = (hours: RollupHours['hours']): Buffer => Buffer.from(JSON.stringify({ hours }));
