import Joi from 'joi';

import type { JsonObject } from '../../core/configuration/canonical-json.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import { writeFactoryTrust } from '../trust/factory-trust.ts';
import { type Ceremony, createCeremony, type RolePlan } from './ceremony.ts';
import { isTopRole } from './draft-rules.ts';
import { checkOwnClock } from './own-clock.ts';
import { publish } from './publish.ts';
import { openRepositoryFolder } from './repository-folder.ts';
import { repositoryStatus } from './repository-status.ts';
import { readInput, readPublicKeys, type SignContext, unlockAll } from './sign-context.ts';
import { type Options, UsageFault } from './sign-options.ts';
import { verifyRepository } from './verify-repository.ts';

const repositoryOf = (options: Options) => openRepositoryFolder(options.text('repository'));

const ceremonyOf = (options: Options, { clock }: SignContext): Ceremony =>
	createCeremony({ repository: repositoryOf(options), clock });

function sayStaged({ say }: SignContext, roles: readonly string[]): void {
	for (const role of roles) say(`${role} is staged; it has to be signed`);
}

async function planOf(options: Options, role: string): Promise<RolePlan> {
	const keys = await readPublicKeys(options.list(`${role}-key`));
	return { keys, threshold: options.numberOr(`${role}-threshold`) ?? 1 };
}

export async function initCommand(options: Options, context: SignContext): Promise<void> {
	const [root, targets, snapshot, timestamp] = await Promise.all(
		['root', 'targets', 'snapshot', 'timestamp'].map((role) => planOf(options, role)),
	);
	if (root === undefined || targets === undefined || snapshot === undefined || timestamp === undefined)
		throw new TypeError('four roles have four plans');
	const days = options.numberOr('days') ?? undefined;
	sayStaged(context, await ceremonyOf(options, context).init({ root, targets, snapshot, timestamp }, days));
}

export async function rotateCommand(options: Options, context: SignContext): Promise<void> {
	const role = options.text('role');
	if (!isTopRole(role)) throw new UsageFault(`--role ${role} is not a top-level role; for others see "delegate"`);
	const [add, remove] = [await readPublicKeys(options.list('add-key')), options.list('remove-key')];
	sayStaged(
		context,
		await ceremonyOf(options, context).rotate({ role, add, remove, threshold: options.numberOr('threshold') }),
	);
}

export async function delegateCommand(options: Options, context: SignContext): Promise<void> {
	const keys = await readPublicKeys(options.list('key'));
	const staged = await ceremonyOf(options, context).delegate({
		name: options.text('role'),
		keys,
		threshold: options.numberOr('threshold') ?? 1,
		paths: options.list('path'),
		terminating: !options.has('not-terminating'),
	});
	sayStaged(context, staged);
}

export async function undelegateCommand(options: Options, context: SignContext): Promise<void> {
	sayStaged(context, await ceremonyOf(options, context).undelegate(options.text('role')));
}

async function customOf(path: string): Promise<JsonObject> {
	try {
		const raw: unknown = JSON.parse(await readInput(path));
		const { value, error } = Joi.object<JsonObject>().unknown(true).required().validate(raw);
		if (error !== undefined) throw error;
		return value;
	} catch (error) {
		throw new Fault('malformed', `custom: ${path} holds no JSON object: ${messageOf(error)}`, { cause: error });
	}
}

export async function addTargetCommand(options: Options, context: SignContext): Promise<void> {
	const custom = options.textOr('custom');
	const staged = await ceremonyOf(options, context).addTarget({
		role: options.text('role'),
		path: options.text('path'),
		file: options.text('file'),
		custom: custom === null ? null : await customOf(custom),
	});
	sayStaged(context, staged);
}

export async function removeTargetCommand(options: Options, context: SignContext): Promise<void> {
	sayStaged(context, await ceremonyOf(options, context).removeTarget(options.text('role'), options.text('path')));
}

export async function renewCommand(options: Options, context: SignContext): Promise<void> {
	const days = options.numberOr('days') ?? undefined;
	sayStaged(context, await ceremonyOf(options, context).renew(options.text('role'), days));
}

export async function publishCommand(options: Options, context: SignContext): Promise<void> {
	const { files, waiting } = await publish({
		repository: repositoryOf(options),
		clock: context.clock,
		snapshotKeys: await unlockAll(context, options.list('snapshot-key')),
		timestampKeys: await unlockAll(context, options.list('timestamp-key')),
		snapshotDays: options.numberOr('snapshot-days') ?? undefined,
		timestampDays: options.numberOr('timestamp-days') ?? undefined,
		isTimeRight: options.has('time-is-right'),
	});
	for (const name of files) context.say(`published ${name}`);
	for (const reason of waiting) context.say(`waiting: ${reason}`);
}

/** @throws Fault `rule-violation` with all complaints */
export async function verifyCommand(options: Options, { say, clock }: SignContext): Promise<void> {
	const repository = repositoryOf(options);
	const factory = options.textOr('root') ?? `${repository.metadataPath}/1.root.json`;
	const { rootVersion, targets, complaints } = await verifyRepository(repository, await readInput(factory), clock);
	say(`root ${rootVersion} is reached from ${factory}`);
	for (const { path, role, length } of targets) say(`${path}: ${length} bytes, signed by ${role}`);
	if (complaints.length > 0) throw new Fault('rule-violation', complaints.join('\n'));
}

export async function statusCommand(options: Options, { say, clock }: SignContext): Promise<void> {
	for (const line of await repositoryStatus(repositoryOf(options), clock.now())) say(line);
}

/** Writes what a build brings along: the newest root, and the time. @throws Fault `state-conflict` before the first one is published */
export async function factoryCommand(options: Options, { say, clock }: SignContext): Promise<void> {
	const published = await repositoryOf(options).published();
	const { root } = published;
	if (root === null) throw new Fault('state-conflict', 'no root is published yet');
	checkOwnClock(clock.now(), published, options.has('time-is-right'));
	await writeFactoryTrust(options.text('to'), root.text, clock);
	say(`root ${root.version} is in ${options.text('to')}`);
}
