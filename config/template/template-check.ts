import type { SettingsMistake } from '../settings-fault.ts';
import { type DeviceLayer, layerMistakes } from './template-layers.ts';
import type { DeviceTemplate } from './template.ts';

/** What the connection of a device is held against when it is saved. */
export interface TemplateCheck {
	readonly has: (key: string) => boolean;
	/** Options and points of a connection that its template does not know; none for a template that is not here. */
	readonly misfits: (connection: DeviceLayer & { readonly template: string }) => readonly SettingsMistake[];
}

/** @param templates changes with the configuration */
export const createTemplateCheck = (templates: ReadonlyMap<string, DeviceTemplate>): TemplateCheck => ({
	has: (key) => templates.has(key),
	misfits(connection) {
		const template = templates.get(connection.template);
		return template === undefined ? [] : layerMistakes(template, connection);
	},
});
