import Joi from 'joi';

import { section } from './settings-schema.ts';

/** The medium under the data folder, for the projection of its life. */
export interface CardSettings {
	/** GB (10^9 bytes); 0: that of the file system. */
	readonly capacityGb: number;
	/** How often the whole of it can be written. */
	readonly enduranceCycles: number;
	/** Bytes that the medium writes for one that it is given. */
	readonly writeAmplification: number;
}

export const cardSection = () =>
	section({
		capacity_gb: Joi.number().min(0).max(1_000_000).default(0),
		endurance_cycles: Joi.number().integer().min(1).max(1_000_000).default(1_000),
		write_amplification: Joi.number().min(1).max(1_000).default(4),
	});
