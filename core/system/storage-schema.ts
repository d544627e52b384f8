import Joi from 'joi';

import { DROPPED_LEVELS, DROPPED_REASONS } from '../history/overflow.ts';
import { toIso } from '../kernel/clock.ts';
import type { StorageReport } from './storage-report.ts';

const HOUR_MS = 3_600_000;
/** Steps that one answer names, the newest. */
const MAX_STEPS = 200;

const total = (bytes: Readonly<Record<string, number>>): number =>
	Object.values(bytes).reduce((sum, count) => sum + count, 0);

export function storageView({ data, journal, bounds, written, card, overflow }: StorageReport) {
	const { bytesPerDay } = written;
	return {
		data: {
			used_bytes: data.usedBytes,
			free_bytes: data.freeBytes,
			total_bytes: data.totalBytes,
			folders: Object.entries(data.byFolder).map(([folder, bytes]) => ({ folder, bytes })),
		},
		journal: {
			bytes: journal.bytes,
			quota_bytes: bounds.maxBytes,
			free_floor_bytes: bounds.minFreeBytes,
			segments: journal.segments,
			commits: journal.commits,
			committed_samples: journal.committedSamples,
			losses: journal.losses.length,
			write_error: journal.writeError,
		},
		power_cut: {
			lost_ms: bounds.flushIntervalMs,
			lost_bytes: bounds.flushBytes,
			waiting_samples: journal.pendingSamples,
		},
		written: {
			total_bytes: total(written.bytes),
			bytes_per_day: bytesPerDay === null ? null : total(bytesPerDay),
			measured_hours: written.measuredMs / HOUR_MS,
			streams: Object.entries(written.bytes).map(([stream, bytes]) => ({
				stream,
				total_bytes: bytes,
				bytes_per_day: bytesPerDay?.[stream] ?? null,
			})),
		},
		card: {
			capacity_bytes: card.capacityBytes,
			endurance_cycles: card.enduranceCycles,
			write_amplification: card.writeAmplification,
			projected_life_years: card.projectedLifeYears,
		},
		overflow: overflow.slice(-MAX_STEPS).map(({ at, level, reason, day, until, bytes, samples }) => ({
			at: toIso(at),
			level,
			reason,
			from: day === null ? null : toIso(day),
			to: until === null ? null : toIso(until),
			bytes,
			samples,
		})),
	};
}

const count = () => Joi.number().integer().min(0).required();
const pace = () =>
	count().allow(null).description('At the pace of the last 24 hours of running; null in the first minutes');

export const storageAnswer = Joi.object({
	data: Joi.object({
		used_bytes: count(),
		free_bytes: count(),
		total_bytes: count(),
		folders: Joi.array()
			.items(Joi.object({ folder: Joi.string().required(), bytes: count() }))
			.required()
			.description('Sizes of what is directly below the data folder'),
	}).required(),
	journal: Joi.object({
		bytes: count(),
		quota_bytes: count(),
		free_floor_bytes: count().description('Free space that is left to others'),
		segments: count(),
		commits: count(),
		committed_samples: count(),
		losses: count(),
		write_error: Joi.string().allow(null).required(),
	}).required(),
	power_cut: Joi.object({
		lost_ms: count().description('A power cut costs at most the values of so long a time ...'),
		lost_bytes: count().description('... and at most about so many bytes of them'),
		waiting_samples: count().description('Values that a power cut would cost now'),
	}).required(),
	written: Joi.object({
		total_bytes: count().description('Since the start'),
		bytes_per_day: pace(),
		measured_hours: Joi.number().min(0).required(),
		streams: Joi.array()
			.items(Joi.object({ stream: Joi.string().required(), total_bytes: count(), bytes_per_day: pace() }))
			.required(),
	}).required(),
	card: Joi.object({
		capacity_bytes: count(),
		endurance_cycles: count(),
		write_amplification: Joi.number().min(1).required(),
		projected_life_years: Joi.number().min(0).max(100).allow(null).required(),
	}).required(),
	overflow: Joi.array()
		.items(
			Joi.object({
				at: Joi.string().isoDate().required(),
				level: Joi.valid(...DROPPED_LEVELS).required(),
				reason: Joi.valid(...DROPPED_REASONS).required(),
				from: Joi.string().isoDate().allow(null).required(),
				to: Joi.string().isoDate().allow(null).required(),
				bytes: Joi.number().integer().required(),
				samples: count().allow(null).description('null where nobody counts'),
			}).label('OverflowStep'),
		)
		.required()
		.description('What the history let go of, for its age or for space, oldest first; counters stay'),
});
