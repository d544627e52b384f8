import type { ObjectSchema } from 'joi';

import { gatewaySchema } from './gateway-settings.ts';
import { hubSchema } from './hub-settings.ts';
import { knownKeysOf } from './known-keys.ts';
import type { SettingsOf, SettingsRole } from './read-settings.ts';
import { isTree, snakeCase } from './tree.ts';

const schemas: Readonly<Record<SettingsRole, ObjectSchema>> = { gateway: gatewaySchema, hub: hubSchema };

/** A name and a password in an address are nobody's business. */
const withoutUserInfo = (text: string): string => text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1');

/** The settings in force in the words of the file, without those that are secret. */
export function shownSettings<R extends SettingsRole>(
	role: R,
	settings: SettingsOf[R],
): Readonly<Record<string, unknown>> {
	const { secrets } = knownKeysOf(schemas[role]);

	function shown(value: unknown, path: readonly string[]): unknown {
		if (typeof value === 'string') return withoutUserInfo(value);
		if (Array.isArray(value)) return value.map((item) => shown(item, [...path, '*']));
		return isTree(value) ? fieldsOf(value, path) : value;
	}

	function fieldsOf(tree: object, path: readonly string[]): Readonly<Record<string, unknown>> {
		return Object.fromEntries(
			Object.entries(tree).flatMap(([name, child]: [string, unknown]) => {
				const here = [...path, snakeCase(name)];
				return secrets.has(here.join('.')) ? [] : [[snakeCase(name), shown(child, here)]];
			}),
		);
	}

	return fieldsOf(settings, []);
}
