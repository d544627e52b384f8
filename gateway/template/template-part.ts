import type { DeviceService } from '../../core/device/device-service.ts';
import { type HttpPart, part } from '../../core/http/server.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { OpenConfiguration } from '../configuration/open-configuration.ts';
import type { DriverPart } from '../driver/driver-part.ts';
import { exchangeRoutes } from './exchange-routes.ts';
import { createImportService } from './import/import-service.ts';
import { templateRoutes } from './template-routes.ts';
import { createTemplateService } from './template-service.ts';

export interface TemplatePartDeps {
	readonly opened: Pick<OpenConfiguration, 'library' | 'shelf' | 'mistakes'>;
	readonly devices: DeviceService;
	readonly drivers: Pick<DriverPart, 'learnt' | 'rearranged'>;
	readonly log: Logger;
}

/** Device templates of the box, and what goes in and out of them. */
export function openTemplates({ opened, devices, drivers, log }: TemplatePartDeps): {
	readonly routes: readonly HttpPart[];
} {
	const { library, shelf, mistakes } = opened;
	const templates = createTemplateService({ library, shelf, devices, ...drivers });
	const imports = createImportService({
		thread: library.thread,
		current: (key) => shelf.templates.get(key),
		log,
	});
	return {
		routes: [
			part(templateRoutes, { templates, mistakes, devices }, '/api/v1'),
			part(exchangeRoutes, { imports, templates, devices }, '/api/v1'),
		],
	};
}
