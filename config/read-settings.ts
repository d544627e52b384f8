import { readFile } from 'node:fs/promises';

import Joi, { type ObjectSchema, type ValidationErrorItem } from 'joi';
import { LineCounter, parse, parseDocument } from 'yaml';

import { type GatewaySettings, gatewaySchema } from './gateway-settings.ts';
import { type HubSettings, hubSchema } from './hub-settings.ts';
import { type KnownKeys, knownKeysOf, nearest } from './known-keys.ts';
import { SettingsFault, type SettingsMistake } from './settings-fault.ts';
import { camelCase, isTree, type Tree } from './tree.ts';

/** The settings file: its name for messages, and its content. */
export interface SettingsFile {
	readonly path: string;
	readonly text: string;
}

/** Variables of the process, e.g. `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface SettingsOf {
	readonly gateway: GatewaySettings;
	readonly hub: HubSettings;
}

export type SettingsRole = keyof SettingsOf;

const PREFIX = 'DRAWBRIDGE_';

/** Variables with the prefix that are no settings. */
const FIXED = new Set(['DRAWBRIDGE_ADMIN_EMAIL', 'DRAWBRIDGE_ADMIN_PASSWORD', 'DRAWBRIDGE_REQUIRE_PEERS']);

/** Longest value repeated in a message. */
const MAX_SHOWN = 80;

const schemas: Readonly<Record<SettingsRole, ObjectSchema>> = { gateway: gatewaySchema, hub: hubSchema };

/** Reads the file of `--config`. @throws SettingsFault when it cannot be read. */
export async function readSettingsFile(path: string): Promise<SettingsFile> {
	try {
		return { path, text: await readFile(path, 'utf8') };
	} catch (error) {
		const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
		throw new SettingsFault([{ path, message: `the settings file cannot be read: ${reason}` }]);
	}
}

/** YAML to a tree. Syntax mistakes name line and column, and never quote the line: it may hold a secret. */
function parseYaml({ path, text }: SettingsFile, mistakes: SettingsMistake[]): Tree {
	const lines = new LineCounter();
	const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
	for (const { pos, code } of [...document.errors, ...document.warnings]) {
		const { line, col } = lines.linePos(pos[0]);
		const rule = code.toLowerCase().replaceAll('_', ' ');
		mistakes.push({ path, message: `line ${line}, column ${col}: not valid YAML (${rule})` });
	}
	if (mistakes.length > 0) return {};
	try {
		const content: unknown = document.toJS({ maxAliasCount: 100 });
		if (content === null || content === undefined) return {};
		if (isTree(content)) return content;
		mistakes.push({ path, message: 'must be a mapping of sections, e.g. "http:"' });
	} catch {
		mistakes.push({ path, message: 'not valid YAML: an alias (*name) has no anchor, or there are too many' });
	}
	return {};
}

const variableOf = (path: readonly string[]): string => PREFIX + path.join('_').toUpperCase();

/** A list comes as YAML or JSON text; anything else as it stands, joi converts it. */
function valueOf(text: string, path: readonly string[]): unknown {
	if (path.length > 1) return text;
	try {
		return parse(text) as unknown;
	} catch {
		return text;
	}
}

/** Lays the environment over the tree of the file. */
function overlay(tree: Tree, environment: Environment, known: KnownKeys, mistakes: SettingsMistake[]): void {
	const byVariable = new Map(known.leaves.map((path) => [variableOf(path), path]));
	for (const [variable, text] of Object.entries(environment)) {
		if (!variable.startsWith(PREFIX) || FIXED.has(variable) || text === undefined) continue;
		const path = byVariable.get(variable);
		if (path === undefined) {
			const meant = nearest(variable, byVariable.keys());
			mistakes.push({ path: variable, message: `no such setting${meant === null ? '' : `; did you mean ${meant}?`}` });
			continue;
		}
		const [name = '', key] = path;
		if (key === undefined) {
			tree[name] = valueOf(text, path);
			continue;
		}
		const inFile = tree[name];
		// A section of the wrong kind is reported as it stands in the file.
		if (inFile !== undefined && inFile !== null && !isTree(inFile)) continue;
		tree[name] = { ...inFile, [key]: text };
	}
}

function shown(value: unknown): string {
	const text = JSON.stringify(value) ?? 'nothing';
	return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** `devices.0.line` to `devices.*.line`. */
const generic = (path: readonly (string | number)[]): string =>
	path.map((part) => (typeof part === 'number' ? '*' : part)).join('.');

function toMistake(item: ValidationErrorItem, known: KnownKeys, environment: Environment): SettingsMistake {
	const dotted = item.path.join('.') || 'settings';
	const variable = variableOf(item.path.map(String));
	const path = environment[variable] === undefined ? dotted : `${dotted} (from ${variable})`;
	if (item.type === 'object.unknown') {
		const name = String(item.path.at(-1));
		const meant = nearest(name, known.under.get(generic(item.path.slice(0, -1))) ?? []);
		return { path, message: `no such setting${meant === null ? '' : `; did you mean ${meant}?`}` };
	}
	const value: unknown = item.context?.['value'];
	// Whole sections are not shown either: they may carry a secret.
	const hidden = known.secrets.has(generic(item.path)) || (typeof value === 'object' && value !== null);
	return {
		path,
		message: `${item.message}${hidden ? '' : `; found ${shown(value)}`}`,
	};
}

/** The same tree with the product's names, and nothing in it can be changed. */
function frozen(value: unknown): unknown {
	if (Array.isArray(value)) return Object.freeze(value.map(frozen));
	if (!isTree(value)) return value;
	return Object.freeze(
		Object.fromEntries(Object.entries(value).map(([key, child]) => [camelCase(key), frozen(child)])),
	);
}

const MESSAGES = {
	'any.required': 'is missing',
	'string.pattern.base': 'has characters that are not allowed here, or is too long',
	'array.unique': 'is declared twice',
	'number.base': 'must be a number',
};

/**
 * File under environment under defaults, checked as a whole.
 * @throws SettingsFault with every mistake of the file and of the environment.
 */
export function readSettings<R extends SettingsRole>({
	role,
	file = null,
	environment,
}: {
	readonly role: R;
	readonly file?: SettingsFile | null;
	readonly environment: Environment;
}): SettingsOf[R] {
	const schema = schemas[role];
	const known = knownKeysOf(schema);
	const mistakes: SettingsMistake[] = [];
	const tree = file === null ? {} : parseYaml(file, mistakes);
	overlay(tree, environment, known, mistakes);
	const { value, error }: { value: unknown; error?: Joi.ValidationError | undefined } = schema.validate(tree, {
		abortEarly: false,
		errors: { label: false },
		messages: MESSAGES,
	});
	for (const item of error?.details ?? []) mistakes.push(toMistake(item, known, environment));
	if (mistakes.length > 0) throw new SettingsFault(mistakes);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema of the role has just produced it
	return frozen(value) as SettingsOf[R];
}

/** The administrator for unattended set-ups, created at the first start only. */
export interface AdministratorSettings {
	readonly email: string;
	readonly password: string;
}

const administrator = Joi.object<{ email?: string; password?: string }>({
	email: Joi.string().email({ tlds: false, minDomainSegments: 1 }).max(254).lowercase().trim(),
	password: Joi.string().min(8).max(128),
}).and('email', 'password');

/** @throws SettingsFault when only one of the two variables is set or one is not acceptable. */
export function readAdministrator(environment: Environment): AdministratorSettings | null {
	const given = {
		email: environment['DRAWBRIDGE_ADMIN_EMAIL'] || undefined,
		password: environment['DRAWBRIDGE_ADMIN_PASSWORD'] || undefined,
	};
	const { value, error } = administrator.validate(given, { abortEarly: false, errors: { label: false } });
	if (error !== undefined) {
		throw new SettingsFault(
			error.details.map(({ path, type, message }) => ({
				path: variableOf(['admin', String(path[0] ?? 'email')]),
				message: type === 'object.and' ? 'needs DRAWBRIDGE_ADMIN_EMAIL and DRAWBRIDGE_ADMIN_PASSWORD' : message,
			})),
		);
	}
	const { email, password } = value;
	return email === undefined || password === undefined ? null : { email, password };
}
