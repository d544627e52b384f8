import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import Joi from 'joi';

import type { DeviceTemplate } from '../../../../config/template/template.ts';
import { messageOf } from '../../../../core/kernel/fault.ts';
import type { DeviceId } from '../../../../core/kernel/id.ts';
import type { Stoppable } from '../../../../core/kernel/lifecycle.ts';
import type { Logger } from '../../../../core/kernel/log.ts';
import { readTextIfThere, writeFileDurably } from '../../../../core/storage/json-file.ts';
import { type Learnt, NOTHING_LEARNT } from './learnt.ts';

/** What was learnt about devices, kept over a restart: one small file for each device that has taught something. */
export interface LearntStore extends Stoppable {
	/** What is known of the device under this template; nothing when the template has changed since. Never rejects. */
	load(id: DeviceId, template: DeviceTemplate): Promise<Learnt>;
	/** Writes behind: the newest state of each device reaches the disk, one write of a device at a time. */
	save(id: DeviceId, template: DeviceTemplate, learnt: Learnt): void;
	forget(id: DeviceId): Promise<void>;
	/** Removes what belongs to none of these devices. Never rejects: what cannot be removed is logged. */
	keepOnly(ids: ReadonlySet<string>): Promise<void>;
}

const range = Joi.object({
	functionCode: Joi.valid(1, 2, 3, 4).required(),
	first: Joi.number().integer().min(0).max(0xffff).required(),
	last: Joi.number().integer().min(0).max(0xffff).required(),
});

const fileSchema = Joi.object<Learnt & { readonly checksum: string }>({
	checksum: Joi.string().required(),
	maxRegisters: Joi.number().integer().min(1).max(125).allow(null).required(),
	maxBits: Joi.number().integer().min(1).max(2000).allow(null).required(),
	holes: Joi.array().items(range).max(256).required(),
	refused: Joi.array().items(Joi.string()).max(10_000).required(),
});

const knownSums = new WeakMap<DeviceTemplate, string>();

/** Changes with everything about the template that decides what is read. */
function checksumOf(template: DeviceTemplate): string {
	let sum = knownSums.get(template);
	if (sum === undefined) {
		const { key, maxRegistersPerRead, points } = template;
		const places = points.map((point) => [point.key, point.functionCode, point.address, point.count, point.access]);
		sum = createHash('sha256')
			.update(JSON.stringify([key, maxRegistersPerRead, places]))
			.digest('hex');
		knownSums.set(template, sum);
	}
	return sum;
}

const isNothing = ({ maxRegisters, maxBits, holes, refused }: Learnt): boolean =>
	maxRegisters === null && maxBits === null && holes.length + refused.length === 0;

export function createLearntStore({ folder, log }: { readonly folder: string; readonly log: Logger }): LearntStore {
	/** What the file of a device says, or will say. */
	const texts = new Map<DeviceId, string | null>();
	const writing = new Map<DeviceId, Promise<void>>();

	const pathOf = (id: DeviceId): string => join(folder, `${id}.json`);

	async function write(id: DeviceId): Promise<void> {
		for (let written: string | null | undefined; written !== texts.get(id);) {
			written = texts.get(id) ?? null;
			if (written === null) await rm(pathOf(id), { force: true });
			else await writeFileDurably(pathOf(id), written);
		}
	}

	function put(id: DeviceId, text: string | null): void {
		if (texts.get(id) === text) return;
		texts.set(id, text);
		if (writing.has(id)) return;
		const done = write(id)
			// The device is asked again what it refuses: a disk that is full costs no more than that.
			.catch((error: unknown) => {
				texts.delete(id);
				log.warn('learnt-not-saved', { device: id, reason: messageOf(error) });
			})
			.finally(() => writing.delete(id));
		writing.set(id, done);
	}

	return {
		async load(id, template) {
			try {
				const text = await readTextIfThere(pathOf(id));
				if (text === null) return NOTHING_LEARNT;
				if (!writing.has(id)) texts.set(id, text);
				const { value, error } = fileSchema.validate(JSON.parse(text));
				if (error !== undefined) throw error;
				const { checksum, ...learnt } = value;
				return checksum === checksumOf(template) ? learnt : NOTHING_LEARNT;
			} catch (error) {
				log.warn('learnt-not-read', { device: id, reason: messageOf(error) });
				return NOTHING_LEARNT;
			}
		},
		save(id, template, learnt) {
			const text = isNothing(learnt) ? null : `${JSON.stringify({ checksum: checksumOf(template), ...learnt })}\n`;
			if (text === null && !texts.has(id)) return;
			put(id, text);
		},
		async forget(id) {
			texts.set(id, '');
			put(id, null);
			await writing.get(id);
		},
		async keepOnly(ids) {
			const names = await readdir(folder).catch(() => []);
			// The beginning of a file that is being written is nobody's leftover.
			const isWriting = writing.size > 0;
			for (const name of names) {
				if (ids.has(name.replace(/\.json$/, '')) || (isWriting && name.endsWith('.tmp'))) continue;
				// Devices are read all the same.
				await rm(join(folder, name), { force: true }).catch((error: unknown) =>
					log.warn('learnt-not-removed', { name, reason: messageOf(error) }),
				);
			}
		},
		async stop() {
			await Promise.all(writing.values());
		},
	};
}
