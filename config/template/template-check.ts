import type { SettingsMistake } from '../settings-fault.ts';
import { type DeviceLayer, layerMistakes } from './template-layers.ts';
import type { DeviceTemplate } from './template.ts';

/** A connection, as far as it is held against its template. */
interface CheckedConnection extends DeviceLayer {
	readonly driver: 'modbus' | 'serial';
	readonly template: string;
}

/** What the connection of a device is held against when it is saved. */
export interface TemplateCheck {
	readonly has: (key: string) => boolean;
	/** A template of another sort of device; options and points of a connection that its template does not know; none for a template that is not here. */
	readonly misfits: (connection: CheckedConnection) => readonly SettingsMistake[];
}

const sortOf = ({ serial }: DeviceTemplate): CheckedConnection['driver'] =>
	serial === undefined ? 'modbus' : 'serial';

/** @param templates changes with the configuration */
export const createTemplateCheck = (templates: ReadonlyMap<string, DeviceTemplate>): TemplateCheck => ({
	has: (key) => templates.has(key),
	misfits(connection) {
		const template = templates.get(connection.template);
		if (template === undefined) return [];
		const sort = sortOf(template);
		if (sort !== connection.driver)
			return [
				{ path: 'template', message: `must be of the driver ${connection.driver}; ${template.key} is of ${sort}` },
			];
		return layerMistakes(template, connection);
	},
});
