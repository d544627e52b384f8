import { fuzzRtu } from '../test/fake/rtu-fuzz.ts';
import { table } from './table.ts';

const LINES = 60;
/** Any: the same one makes the same choices. */
const SEED = 1;

/** Bad RTU lines for as long as asked: nothing may be given to the wrong request, and no memory may be left behind. */
export async function runRtuFuzz({ seconds }: { readonly seconds: number }) {
	await fuzzRtu({ lines: LINES, seconds: Math.min(5, seconds), seed: SEED });
	const before = process.memoryUsage().rss;
	const report = await fuzzRtu({ lines: LINES, seconds, seed: SEED + LINES });
	const grownMb = (process.memoryUsage().rss - before) / 2 ** 20;
	const { foreignFrames, echoFrames, crcErrors, quarantines } = report.counters;
	const row = {
		exchanges: report.exchanges,
		answers: report.answers,
		misattributed: report.misattributed.length,
		quarantines,
		'crc errors': crcErrors,
		'foreign frames': foreignFrames,
		'echo frames': echoFrames,
		'rss grown MB': grownMb,
	};
	const flaws = report.misattributed.slice(0, 10).map((flaw) => `\n${flaw}`);
	return { report: `${table([row])}${flaws.join('')}`, isWithinLimits: report.misattributed.length === 0 };
}
