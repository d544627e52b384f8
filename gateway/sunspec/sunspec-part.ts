import { type HttpPart, part } from '../../core/http/server.ts';
import type { ScanLines } from '../scan/scan-line.ts';
import { createSunspecModelStore } from './sunspec-model-store.ts';
import { sunspecRoutes } from './sunspec-routes.ts';
import { createSunspecService } from './sunspec-service.ts';

export interface SunspecPartDeps {
	/** Folder of the definitions of models. */
	readonly folder: string;
	readonly lines: Pick<ScanLines, 'share' | 'named'>;
}

/** Devices that describe themselves. */
export const openSunspec = ({ folder, lines }: SunspecPartDeps): { readonly routes: readonly HttpPart[] } => {
	const sunspec = createSunspecService({ lines, models: createSunspecModelStore(folder) });
	return { routes: [part(sunspecRoutes, { sunspec, named: (name) => lines.named(name) }, '/api/v1')] };
};
