import type { DeviceTemplate, TemplatePoint } from '../../config/template/template.ts';
import type { Command } from '../../core/command/command.ts';
import type { EpochMs } from '../../core/kernel/clock.ts';
import { givenBy } from './write-plan.ts';

/** Time until a point may be written again, ms; 0: now. */
function waitMs({ key, write }: TemplatePoint, before: readonly Command[], now: EpochMs): number {
	if (write?.limit === undefined) return 0;
	const { writes, seconds } = write.limit;
	const withinMs = seconds * 1000;
	const ages = before
		.filter((command) => givenBy(command).has(key))
		.flatMap(({ sentAt }) => (sentAt === null ? [] : [now - sentAt]))
		// Later than now: the clock was set back. What is further ahead than the limit is long counts no more, or its point would wait for years.
		.filter((age) => age > -withinMs)
		.toSorted((one, other) => one - other);
	const oldest = ages[writes - 1];
	return oldest === undefined ? 0 : Math.max(0, withinMs - Math.max(0, oldest));
}

/**
 * Why a command comes too soon after others: `write.limit` of its points, which spares memories that wear out and contactors. The safe value
 * of `write.revert` is never too soon.
 * @param newest commands of the device, newest first; the command itself may be among them
 * @returns `null`: it does not
 */
export function limitSentence(
	{ points }: Pick<DeviceTemplate, 'points'>,
	command: Command,
	newest: readonly Command[],
	now: EpochMs,
): string | null {
	const given = givenBy(command);
	const before = newest.filter(({ id }) => id !== command.id);
	for (const point of points) {
		const { limit, revert } = point.write ?? {};
		if (limit === undefined || !given.has(point.key) || given.get(point.key) === revert?.value) continue;
		const leftMs = waitMs(point, before, now);
		if (leftMs > 0)
			return `${point.key} is written at most ${limit.writes} times in ${limit.seconds} s; it may be again in ${Math.ceil(leftMs / 1000)} s`;
	}
	return null;
}
