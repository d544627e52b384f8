import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type Joi from 'joi';

import { SettingsFault, type SettingsMistake } from '../settings-fault.ts';
import { labelsOfGroup, labelsOfKey } from './label-table.ts';
import { pointSchema, toPoint, toProvenPoint } from './point-form.ts';
import { headerSchema, MAX_POINTS, provenHeader, type WireCommDefaults, type WireHeader } from './template-form.ts';
import type { PlacedPoint } from './point-neighbours.ts';
import { referenceMistakes } from './template-references.ts';
import { NONE_PROVEN, proofOf, type ProvenFiles } from './proven-files.ts';
import { isSiteTemplate, placedInSite, wholeFile } from './site-template.ts';
import { layoutKindOf, serialHeaderSchema, serialPointSchema, type WireSerialPoint } from './serial-form.ts';
import { formatMistakes } from './serial-rules.ts';
import { isSerialTemplate, layoutOf, toSerialFormat, toSerialPoint } from './serial-template-schema.ts';
import { pointMistakes, ruleMistakes } from './template-rules.ts';
import type { CommDefaults, DeviceTemplate, Labels, Probe, TemplateDocument, TemplatePoint } from './template.ts';

const MAX_FILE_BYTES = 1024 * 1024;
const MAX_FILES = 1000;
/** More mistakes than anyone corrects in one go. */
const MAX_MISTAKES = 200;
const MAX_SHOWN_CHARS = 60;
/** joi repeats some values whole. */
const MAX_MESSAGE_CHARS = 300;

const TEMPLATE_KEY = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** What a template without registers says of them. */
const NO_REGISTERS = { max_registers: 1, guard_ms: 0, probe: [] } as const;

const options: Joi.ValidationOptions = { abortEarly: false, convert: false, errors: { label: false } };

const cut = (line: string, maxChars: number): string =>
	line.length > maxChars ? `${line.slice(0, maxChars)}...` : line;

/** What was found, short enough for a line. */
function shown(value: unknown): string {
	try {
		return cut(JSON.stringify(value) ?? 'nothing', MAX_SHOWN_CHARS);
	} catch {
		// Nesting that exhausts the stack.
		return 'something that cannot be shown';
	}
}

const dotted = (path: readonly (string | number)[]): string =>
	path.map((step, depth) => (typeof step === 'number' ? `[${step}]` : `${depth === 0 ? '' : '.'}${step}`)).join('');

const mistakesOf = (error: Joi.ValidationError | undefined, at: readonly (string | number)[]): SettingsMistake[] =>
	(error?.details ?? []).map(({ path, message, context }) => ({
		path: dotted([...at, ...path]),
		message: cut(
			context?.value === undefined ? message : `${message}; found ${shown(context.value)}`,
			MAX_MESSAGE_CHARS,
		),
	}));

function toCommDefaults(wire: WireCommDefaults): CommDefaults {
	return {
		baudRate: wire.baud_rate,
		dataBits: wire.data_bits,
		parity: wire.parity,
		stopBits: wire.stop_bits,
		unitId: wire.unit_id,
		tcpPort: wire.tcp_port,
	};
}

/** With the usual words of other languages, as far as the file has none of its own. */
const labelled = <Named extends { readonly labels?: Labels }>(named: Named, usual: Labels | null): Named =>
	usual === null ? named : { ...named, labels: { ...usual, ...named.labels } };

/** What most files do not have. */
function toOptional(wire: WireHeader): Partial<DeviceTemplate> {
	const { max_bits: maxBitsPerRead, holes, all_ff_is_absent: allFfIsAbsent, options: variables, groups } = wire;
	return {
		...(maxBitsPerRead === undefined ? {} : { maxBitsPerRead }),
		...(holes === undefined
			? {}
			: { holes: holes.map(({ function: functionCode, first, last }) => ({ functionCode, first, last })) }),
		...(allFfIsAbsent === undefined ? {} : { allFfIsAbsent }),
		...(variables === undefined ? {} : { options: variables }),
		...(groups === undefined ? {} : { groups: groups.map((group) => labelled(group, labelsOfGroup(group.key))) }),
	};
}

function toDocument(key: string, wire: WireHeader, points: readonly TemplatePoint[]): TemplateDocument {
	return {
		key,
		manufacturer: wire.manufacturer,
		model: wire.model,
		variants: wire.variants,
		category: wire.category,
		transports: wire.transports,
		commDefaults: toCommDefaults(wire.comm_defaults),
		maxRegistersPerRead: wire.max_registers,
		guardMs: wire.guard_ms,
		probe: wire.probe,
		sign: wire.sign,
		quirks: wire.quirks,
		verification: wire.verification,
		sources: wire.sources,
		points: points.map((point) => labelled(point, labelsOfKey(point.key))),
		...toOptional(wire),
	};
}

/** The list of points in the raw file as far as there is one; longer lists are refused as a whole by the header. */
function rawPointsOf(raw: unknown): readonly unknown[] {
	if (typeof raw !== 'object' || raw === null || !('points' in raw)) return [];
	return Array.isArray(raw.points) && raw.points.length <= MAX_POINTS ? raw.points : [];
}

/** Probes whose point does not exist; a point counts also while something else about it is wrong. */
function probeMistakes(probes: readonly Probe[], rawPoints: readonly unknown[]): readonly SettingsMistake[] {
	const keys = new Set(
		rawPoints.map((point) => (typeof point === 'object' && point !== null && 'key' in point ? point.key : null)),
	);
	return probes.flatMap(({ key }, index) =>
		keys.has(key) ? [] : [{ path: `probe[${index}].key`, message: `must be the key of a point; found ${shown(key)}` }],
	);
}

function keyMistakes(key: string): readonly SettingsMistake[] {
	if (TEMPLATE_KEY.test(key)) return [];
	return [{ path: 'key', message: `small letters, digits and hyphens, at most 64; found ${shown(key)}` }];
}

function parseWhole(key: string, raw: unknown): TemplateDocument {
	const header = headerSchema.validate(raw, options);
	const rawPoints = rawPointsOf(raw);
	const placed: PlacedPoint[] = [];
	const misshapen: SettingsMistake[] = [];
	for (const [index, rawPoint] of rawPoints.entries()) {
		const { error, value } = pointSchema.validate(rawPoint, options);
		if (error === undefined) placed.push({ index, point: toPoint(value) });
		else misshapen.push(...mistakesOf(error, ['points', index]));
	}
	const mistakes = keyMistakes(key).concat(
		mistakesOf(header.error, []),
		misshapen,
		ruleMistakes(placed),
		header.error === undefined ? probeMistakes(header.value.probe, rawPoints) : [],
		header.error === undefined && misshapen.length === 0 ? referenceMistakes(header.value, placed) : [],
	);
	if (header.error !== undefined || mistakes.length > 0) throw new SettingsFault(mistakes.slice(0, MAX_MISTAKES));
	return toDocument(
		key,
		header.value,
		placed.map(({ point }) => point),
	);
}

/** A serial template knows one place for each key: points that exclude each other have keys of their own. */
function alwaysThere({ index, point }: PlacedPoint): PlacedPoint {
	const { when: _, ...always } = point;
	return { index, point: always };
}

/** The points of a serial template, and what is wrong in them. Only a known layout tells what a point looks like: without one there are none. */
function serialPointsOf(raw: object): {
	readonly wires: readonly WireSerialPoint[];
	readonly misshapen: readonly SettingsMistake[];
} {
	const kind = layoutKindOf(raw);
	const wires: WireSerialPoint[] = [];
	const misshapen: SettingsMistake[] = [];
	if (kind === null) return { wires, misshapen };
	const schema = serialPointSchema(kind);
	for (const [index, rawPoint] of rawPointsOf(raw).entries()) {
		const { error, value } = schema.validate(rawPoint, options);
		if (error === undefined) wires.push(value);
		else misshapen.push(...mistakesOf(error, ['points', index]));
	}
	return { wires, misshapen };
}

/** A template of a serial device that is not Modbus. */
function parseSerial(key: string, raw: object): TemplateDocument {
	const header = serialHeaderSchema.validate(raw, options);
	const { wires, misshapen } = serialPointsOf(raw);
	const flaws = mistakesOf(header.error, []).concat(misshapen);
	if (header.error !== undefined || flaws.length > 0)
		throw new SettingsFault(keyMistakes(key).concat(flaws).slice(0, MAX_MISTAKES));
	const layout = layoutOf(header.value);
	const placed = wires.map((wire, index) => ({ index, point: toSerialPoint(wire, layout) }));
	const serial = toSerialFormat(header.value, wires, raw);
	const mistakes = keyMistakes(key).concat(
		formatMistakes(serial),
		pointMistakes(placed.map(alwaysThere)),
		referenceMistakes(header.value, placed),
	);
	if (mistakes.length > 0) throw new SettingsFault(mistakes.slice(0, MAX_MISTAKES));
	const points = placed.map(({ point }) => point);
	return { ...toDocument(key, { ...header.value, ...NO_REGISTERS }, points), serial };
}

const parseAny = (key: string, raw: unknown): TemplateDocument =>
	isSerialTemplate(raw) ? parseSerial(key, raw) : parseWhole(key, raw);

/** A file that was found sound before, and is not looked at again; the few that are not plain Modbus templates are. */
function parseProven(key: string, raw: unknown, bases: ReadonlyMap<string, TemplateDocument>): TemplateDocument {
	if (typeof raw !== 'object' || raw === null || isSerialTemplate(raw) || isSiteTemplate(raw))
		return parseTemplate(key, raw, bases);
	const header = provenHeader(raw);
	const points = header.points.filter((point) => typeof point === 'object' && point !== null);
	return toDocument(
		key,
		header,
		points.map((point) => toProvenPoint(point)),
	);
}

function parseSite(key: string, raw: object, bases: ReadonlyMap<string, TemplateDocument>): TemplateDocument {
	const whole = wholeFile(raw, bases);
	try {
		return { ...parseAny(key, whole.raw), extends: whole.base };
	} catch (error) {
		if (!(error instanceof SettingsFault)) throw error;
		throw new SettingsFault(error.mistakes.map((mistake) => placedInSite(mistake, whole)));
	}
}

/**
 * Reads a device template.
 * @param key file name without `.json`: small letters, digits and hyphens
 * @param raw what `JSON.parse` gave; nothing about it is trusted
 * @param bases the templates that one of the site may extend
 * @returns the whole template, also of one that only says what it changes
 * @throws SettingsFault with every mistake in the file (at most 200), each with its place: `points[3].address`
 */
export const parseTemplate = (
	key: string,
	raw: unknown,
	bases: ReadonlyMap<string, TemplateDocument> = new Map(),
): TemplateDocument => (isSiteTemplate(raw) ? parseSite(key, raw, bases) : parseAny(key, raw));

/** Looks before it opens: a pipe in the folder would never end. */
async function readBounded(path: string): Promise<string> {
	const info = await stat(path);
	if (!info.isFile()) throw new Error('is not a file');
	if (info.size > MAX_FILE_BYTES) throw new Error(`a template has at most ${MAX_FILE_BYTES} bytes; found ${info.size}`);
	return readFile(path, 'utf8');
}

/** All mistakes of anything that was thrown, with the file in front of the path. */
function mistakesIn(file: string, thrown: unknown): readonly SettingsMistake[] {
	if (thrown instanceof SettingsFault) {
		return thrown.mistakes.map(({ path, message }) => ({ path: `${file}: ${path}`, message }));
	}
	return [{ path: file, message: thrown instanceof Error ? thrown.message : String(thrown) }];
}

/** What a folder of templates gave: the ones that are sound by their key, and what is wrong with the others. */
export interface TemplateFolder {
	readonly templates: ReadonlyMap<string, TemplateDocument>;
	readonly mistakes: readonly SettingsMistake[];
}

/**
 * Reads every `.json` of a folder (at most 1000 files of 1 MiB), apart from JSON schemas. Never rejects: a file or folder that cannot be
 * read or is not a sound template ends up in `mistakes`, and the others are there.
 * @param bases the templates of other folders, which those of this one may extend
 * @param proven files that are known to be sound as they are, which saves most of the work
 */
export async function readTemplates(
	folder: string,
	bases: ReadonlyMap<string, TemplateDocument> = new Map(),
	proven: ProvenFiles = NONE_PROVEN,
): Promise<TemplateFolder> {
	const templates = new Map<string, TemplateDocument>();
	const mistakes: SettingsMistake[] = [];
	let files: readonly string[] = [];
	try {
		files = (await readdir(folder))
			.filter((name) => name.endsWith('.json') && !name.endsWith('.schema.json'))
			.toSorted();
	} catch (error) {
		mistakes.push(...mistakesIn(folder, error));
	}
	if (files.length > MAX_FILES) {
		mistakes.push({ path: folder, message: `the first ${MAX_FILES} templates are read; found ${files.length}` });
	}
	for (const file of files.slice(0, MAX_FILES)) {
		try {
			const key = file.slice(0, -'.json'.length);
			const text = await readBounded(join(folder, file));
			const parse = proven.has(proofOf(file, text)) ? parseProven : parseTemplate;
			templates.set(key, parse(key, JSON.parse(text), bases));
		} catch (error) {
			mistakes.push(...mistakesIn(file, error));
		}
	}
	return { templates, mistakes };
}
