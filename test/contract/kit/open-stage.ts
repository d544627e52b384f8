import { type Box, type BoxOptions, type HullRole, startBox } from './box.ts';
import { openPeople } from './people.ts';
import { createStage, type Stage } from './stage.ts';

/** Older than a refresh token lives. */
const LONG_AGO_MS = 31 * 86_400_000;

/** A claimed box whose first tokens have expired, unless the options say otherwise about its clock. */
export async function openStage(role: HullRole, options: BoxOptions = {}): Promise<Stage> {
	const box: Box = await startBox(role, { clockShiftMs: -LONG_AGO_MS, ...options });
	try {
		const people = await openPeople(box);
		box.shiftClock(0);
		return createStage(box, people, people.administrator);
	} catch (error) {
		await box.stop();
		throw error;
	}
}
