import Joi from 'joi';

import { Fault } from '../../core/kernel/fault.ts';
import type { TrustedTarget } from './delegation-walk.ts';

/** Where releases of the appliance stand among the targets. */
export const RELEASE_PREFIX = 'appliance/';

export const CHANNELS = ['stable', 'beta'] as const;
export type Channel = (typeof CHANNELS)[number];

/** What the signers of a release say of it. */
export interface Release {
	readonly product: string;
	/** For people; `seq` is what counts. */
	readonly version: string;
	/** Release counter: greater is newer. */
	readonly seq: number;
	readonly arch: string;
	/** Hardware it runs on; empty: any. */
	readonly hardware: readonly string[];
	/** Operating systems it runs on; empty: any. */
	readonly os: readonly string[];
	/** What runs has to be at least of this counter: a stepping stone comes first. */
	readonly minFromSeq: number;
	readonly channel: Channel;
	readonly isSecurity: boolean;
	readonly unpackedBytes: number;
	/** SHA-256 of the manifest inside. */
	readonly manifestSha256: string;
	/** Lowest counter that may be gone back to once this runs; `null`: none below it. */
	readonly rollbackFloor: number | null;
	readonly notesUrl: string | null;
	readonly sbomSha256: string | null;
	readonly target: TrustedTarget;
}

const word = Joi.string()
	.pattern(/^[a-z0-9][a-z0-9._-]{0,63}$/)
	.required();
const words = Joi.array().items(word.optional()).max(64).default([]);
const whole = Joi.number().integer().min(0).max(Number.MAX_SAFE_INTEGER);
const sha256 = Joi.string().pattern(/^[0-9a-f]{64}$/);

/** `custom` of a release in the metadata; what is not known is left to newer updaters. */
export const releaseCustomSchema = Joi.object({
	product: word,
	version: Joi.string()
		.pattern(/^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]{1,32})?$/)
		.max(64)
		.required(),
	seq: whole.min(1).required(),
	arch: word,
	hw: words,
	os: words,
	min_from_seq: whole.default(0),
	channel: Joi.valid(...CHANNELS).required(),
	security: Joi.boolean().default(false),
	unpacked_bytes: whole.min(1).required(),
	manifest_sha256: sha256.required(),
	rollback_floor: whole.allow(null).default(null),
	notes_url: Joi.string().uri({ scheme: 'https' }).max(512).allow(null).default(null),
	sbom_sha256: sha256.allow(null).default(null),
}).unknown(true);

/** What a target says of itself as a release. @throws Fault `malformed`, which names the field */
export function releaseOf(target: TrustedTarget): Release {
	const { value, error } = releaseCustomSchema.validate(target.custom, { convert: false, stripUnknown: true });
	if (error !== undefined) throw new Fault('malformed', `${target.path}: ${error.message}`, { cause: error });
	return {
		product: value.product,
		version: value.version,
		seq: value.seq,
		arch: value.arch,
		hardware: value.hw,
		os: value.os,
		minFromSeq: value.min_from_seq,
		channel: value.channel,
		isSecurity: value.security,
		unpackedBytes: value.unpacked_bytes,
		manifestSha256: value.manifest_sha256,
		rollbackFloor: value.rollback_floor,
		notesUrl: value.notes_url,
		sbomSha256: value.sbom_sha256,
		target,
	};
}

/** The box that asks. */
export interface Appliance {
	readonly product: string;
	readonly arch: string;
	readonly hardware: string;
	readonly os: string;
	/** Of the release that runs. */
	readonly seq: number;
	/** Lowest counter that is ever installed: what was once committed is not gone behind. */
	readonly floorSeq: number;
	readonly channels: readonly Channel[];
}

/** Why a release is not for a box, for a person; `null`: it is. */
export function whyNot(release: Release, box: Appliance): string | null {
	const { seq, hardware, os } = release;
	const rules: readonly (readonly [boolean, string])[] = [
		[release.product === box.product, `it is ${release.product}, and this is ${box.product}`],
		[release.arch === box.arch, `it is for ${release.arch}, and this is ${box.arch}`],
		[hardware.length === 0 || hardware.includes(box.hardware), `it is not for the hardware ${box.hardware}`],
		[os.length === 0 || os.includes(box.os), `it is not for ${box.os}`],
		[box.channels.includes(release.channel), `it is of the channel ${release.channel}`],
		[seq >= box.floorSeq, `its counter ${seq} is below the floor ${box.floorSeq}`],
		[seq > box.seq, `its counter ${seq} is not above ${box.seq}, which runs`],
		[box.seq >= release.minFromSeq, `it needs ${release.minFromSeq} first, and ${box.seq} runs`],
	];
	return rules.find(([holds]) => !holds)?.[1] ?? null;
}

/** The answer to "what is newest for this box?". */
export interface ReleaseChoice {
	/** `null`: what runs is the newest there is for it. */
	readonly newest: Release | null;
	/** Those that are not for it, by path, and why. */
	readonly passedOver: ReadonlyMap<string, string>;
}

/** Chooses among signed releases. Nothing that the hub says can widen the choice. */
export function chooseRelease(targets: readonly TrustedTarget[], box: Appliance): ReleaseChoice {
	const passedOver = new Map<string, string>();
	let newest: Release | null = null;
	for (const target of targets) {
		try {
			const release = releaseOf(target);
			const reason = whyNot(release, box);
			if (reason !== null) passedOver.set(target.path, reason);
			else if (newest === null || release.seq > newest.seq) newest = release;
		} catch (error) {
			if (!(error instanceof Fault)) throw error;
			passedOver.set(target.path, error.message);
		}
	}
	return { newest, passedOver };
}
