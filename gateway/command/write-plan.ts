import type { DeviceTemplate, TemplatePoint } from '../../config/template/template.ts';
import { type PlacedWrite, payloadMistake, writablePoint, writesOf } from '../../config/template/write-rules.ts';
import type { CommandDraft } from '../../core/command/command.ts';
import { Fault, fieldFault } from '../../core/kernel/fault.ts';
import { encodeWrite } from '../driver/modbus/codec/register-encoder.ts';
import { isRegister, type WriteBlock, writeBlock } from './write-block.ts';

/** The one command of Modbus devices. */
export const WRITE_COMMAND = 'write';

/** The values that a command writes, by point; none when it is no write. */
export function givenBy({ name, payload }: Pick<CommandDraft, 'name' | 'payload'>): ReadonlyMap<unknown, unknown> {
	const writes = name === WRITE_COMMAND ? writesOf(payload) : [];
	return new Map('sentence' in writes ? [] : writes.map(({ point, value }) => [point, value]));
}

/** One value for one point. It has passed the rules of the template. */
export interface PlannedWrite {
	readonly point: TemplatePoint;
	readonly value: unknown;
	/** Where it stands in the payload, e.g. `points[2].`; empty when it is the only one. */
	readonly place: string;
}

/** What one request carries. It is never split. */
export interface WriteStep {
	readonly writes: readonly PlannedWrite[];
	/** The block the points belong to; `null`: one point by itself. */
	readonly block: WriteBlock | null;
	/** Points that hold the scale factors of those that are written; they are read first. */
	readonly factors: readonly TemplatePoint[];
}

/** What one request writes: bits of registers, or coils of 0 and 1, side by side. */
export interface StepRequest {
	readonly functionCode: 5 | 6 | 15 | 16 | 22 | 23;
	readonly address: number;
	readonly words: readonly number[];
	/** Bits of each word that are written; the others have to stay as they are. */
	readonly masks: readonly number[];
	/** The same for each point by itself, in the order of the step's writes. */
	readonly parts: readonly StepPart[];
}

export interface StepPart {
	/** Word of the request at which it begins. */
	readonly at: number;
	readonly words: readonly number[];
	readonly masks: readonly number[];
}

/** The bits of one word: of a register 16, of a coil one. */
const wholeOf = (point: TemplatePoint): number => (isRegister(point) ? 0xffff : 1);

function planned(template: DeviceTemplate, { point: key, value, place }: PlacedWrite): PlannedWrite {
	const point = writablePoint(template, key);
	if ('sentence' in point) throw fieldFault('rule-violation', `payload.${place}${point.member}`, point.sentence);
	return { point, value, place };
}

/** A refusal of the encoder, at the place of the value in the payload. */
function placed({ field, message }: Fault, place: string): Fault {
	if (field === null || place === '') return new Fault('rule-violation', message, field === null ? {} : { field });
	const member = field.replace(/^payload\./, '');
	return fieldFault('rule-violation', `payload.${place}${member}`, message.slice(field.length + 2));
}

function encoded({ point, value, place }: PlannedWrite, exponents: ReadonlyMap<string, number>) {
	try {
		const { functionCode, address, words, masks } = encodeWrite(
			point,
			value,
			exponents.get(point.scaleFactor ?? '') ?? null,
		);
		return { functionCode, address, words, masks: masks ?? words.map(() => wholeOf(point)) };
	} catch (error) {
		throw error instanceof Fault ? placed(error, place) : error;
	}
}

const factorsOf = (template: DeviceTemplate, writes: readonly PlannedWrite[]): readonly TemplatePoint[] => {
	const keys = new Set(writes.map(({ point }) => point.scaleFactor));
	return template.points.filter(({ key }) => keys.has(key));
};

function stepsOf(template: DeviceTemplate, writes: readonly PlannedWrite[]): readonly WriteStep[] {
	const steps: WriteStep[] = [];
	const done = new Set<string>();
	for (const write of writes) {
		const name = write.point.write?.block;
		if (name === undefined) {
			steps.push({ writes: [write], block: null, factors: factorsOf(template, [write]) });
			continue;
		}
		if (done.has(name)) continue;
		done.add(name);
		const together = writes.filter(({ point }) => point.write?.block === name);
		const block = writeBlock(template, name, together);
		steps.push({ writes: together, block, factors: factorsOf(template, together) });
	}
	return steps;
}

/**
 * What a command means on the wire of a Modbus device: the requests, in the order of the payload; points of one block in one.
 * @param template as the device has it, with its own options and overrides
 * @throws Fault `rule-violation` naming the field, the rule and the value
 */
export function writePlan(
	template: DeviceTemplate,
	{ name, payload }: Pick<CommandDraft, 'name' | 'payload'>,
): readonly WriteStep[] {
	if (name !== WRITE_COMMAND)
		throw fieldFault(
			'rule-violation',
			'command_name',
			`a Modbus device takes ${WRITE_COMMAND} with payload {point, value} or {points: [{point, value}]}; found ${JSON.stringify(name)}`,
		);
	const mistake = payloadMistake(template, payload);
	if (mistake !== null) throw fieldFault('rule-violation', `payload.${mistake.member}`, mistake.sentence);
	const listed = writesOf(payload);
	const writes = 'sentence' in listed ? [] : listed.map((each) => planned(template, each));
	// What depends on a scale factor is judged when that has been read.
	for (const write of writes) if (write.point.scaleFactor === undefined) encoded(write, new Map());
	return stepsOf(template, writes);
}

/**
 * The request of a step.
 * @param exponents by key of the scale factor
 * @throws Fault `rule-violation` when the registers cannot hold a value
 */
export function stepRequest({ writes, block }: WriteStep, exponents: ReadonlyMap<string, number>): StepRequest {
	const each = writes.map((write) => encoded(write, exponents));
	const [first] = each;
	if (first === undefined) throw new RangeError('a step without a point');
	const { functionCode, address, count } = block ?? { ...first, count: first.words.length };
	const words: number[] = Array.from({ length: count }, () => 0);
	const masks = words.slice();
	const parts = each.map((part) => ({ at: part.address - address, words: part.words, masks: part.masks }));
	for (const part of parts)
		part.words.forEach((word, index) => {
			const at = part.at + index;
			words[at] = (words[at] ?? 0) | word;
			masks[at] = (masks[at] ?? 0) | (part.masks[index] ?? 0);
		});
	return { functionCode, address, words, masks, parts };
}
