import type { DeviceTemplate, TemplatePoint } from '../../config/template/template.ts';
import type { Command } from '../../core/command/command.ts';
import type { EpochMs } from '../../core/kernel/clock.ts';
import { givenBy } from './write-plan.ts';

/** Time until a point may be written again, ms; 0: now. */
function waitMs({ key, write }: TemplatePoint, before: readonly Command[], now: EpochMs): number {
	if (write?.limit === undefined) return 0;
	const { writes, seconds } = write.limit;
	const ages = before
		.filter((command) => command.sentAt !== null && givenBy(command).has(key))
		// A clock that was set back makes nothing wait longer than it has to.
		.map(({ sentAt }) => Math.max(0, now - (sentAt ?? 0)))
		.toSorted((one, other) => one - other);
	const oldest = ages[writes - 1];
	return oldest === undefined ? 0 : Math.max(0, seconds * 1000 - oldest);
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
