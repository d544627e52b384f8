import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { SunspecModel } from './sunspec-model.ts';

/** Definitions of models by number. */
export interface SunspecModels {
	/** Those that are known of these; what is missing is no fault. */
	of(ids: readonly number[]): Promise<ReadonlyMap<number, SunspecModel>>;
}

const isModel = (value: unknown, id: number): value is SunspecModel =>
	typeof value === 'object' && value !== null && 'id' in value && value.id === id && 'group' in value;

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/**
 * The definitions in a folder, one `model_<number>.json` each as the SunSpec Alliance publishes them. Only what a device has is read,
 * when it is asked for.
 */
export function createSunspecModelStore(folder: string): SunspecModels {
	async function readModel(id: number): Promise<SunspecModel | null> {
		try {
			const value: unknown = JSON.parse(await readFile(join(folder, `model_${id}.json`), 'utf8'));
			return isModel(value, id) ? value : null;
		} catch (error) {
			if (isMissing(error) || error instanceof SyntaxError) return null;
			throw error;
		}
	}
	return {
		async of(ids) {
			const models = new Map<number, SunspecModel>();
			for (const id of new Set(ids)) {
				const model = await readModel(id);
				if (model !== null) models.set(id, model);
			}
			return models;
		},
	};
}
