import type { Plugin } from '@hapi/hapi';

import type { SettingsMistake } from '../../config/settings-fault.ts';
import type { DeviceTemplate } from '../../config/template/template.ts';
import { anyUser } from '../../core/http/access.ts';

export interface TemplateRoutesOptions {
	readonly templates: ReadonlyMap<string, DeviceTemplate>;
	/** Of files that could not be used: `wrong.json: points[0].count`. */
	readonly mistakes: readonly SettingsMistake[];
}

/** Device templates that can be chosen, and the files that cannot, with what is wrong in them. */
export const templateRoutes: Plugin<TemplateRoutesOptions> = {
	name: 'template-routes',
	register(server, { templates, mistakes }) {
		const broken = new Map<string, string[]>();
		for (const { path, message } of mistakes) {
			const key = path.split('.json')[0] ?? path;
			broken.set(key, [...(broken.get(key) ?? []), `${path}: ${message}`]);
		}
		const good = [...templates.values()].map(({ key, manufacturer, model, points }) => ({
			key,
			manufacturer,
			model,
			points: points.length,
			mistakes: [] as string[],
		}));
		const bad = [...broken].map(([key, list]) => ({ key, manufacturer: '', model: '', points: 0, mistakes: list }));
		server.route({ method: 'GET', path: '/templates', options: { ...anyUser, handler: () => [...good, ...bad] } });
	},
};
