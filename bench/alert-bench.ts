import { createAlertEngine } from '../core/alarm/alert-engine.ts';
import type { AlertRule } from '../core/alarm/alert-rule.ts';
import { epochMs, systemClock } from '../core/kernel/clock.ts';
import { newDeviceId } from '../core/kernel/id.ts';
import { alertRule } from '../test/fake/alert-rule.ts';
import { type Row, median, table } from './table.ts';

const POINTS = 100;
const ROUNDS = 9;
const READINGS = 20_000;
/** A reading of 100 points, half of which a rule watches, may cost this much; without any rule a tenth of a microsecond. */
const MOST_US = 10;
const MOST_IDLE_US = 0.1;

const points = Array.from({ length: POINTS }, (_, index) => `point_${index}`);

const ruleOn = (metric: string): AlertRule =>
	alertRule({ id: metric, name: metric, metric, threshold: 1_000, hysteresis: 5, durationSeconds: 10 });

interface Case {
	readonly name: string;
	/** Takes one reading. */
	readonly take: (at: number) => void;
	readonly measuredUs: number[];
}

function caseOf(name: string, rules: readonly AlertRule[]): Case {
	const device = newDeviceId();
	const engine = createAlertEngine({
		applying: (candidates) => candidates,
		raisedSince: () => null,
		raised: () => undefined,
		cleared: () => undefined,
		now: () => systemClock.now(),
	});
	engine.setRules(rules);
	const values = points.map((_, index) => 230 + index / 10);
	const startMs = systemClock.now();
	return {
		name,
		take: (at) =>
			engine.reading({
				device,
				readAt: epochMs(startMs + at),
				telemetryType: 'default',
				points,
				values,
				qualities: null,
			}),
		measuredUs: [],
	};
}

/** What the rules cost on the way of a reading; the cases take turns. */
export async function runAlertBench(): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	const cases = [
		caseOf('no rule', []),
		caseOf(
			'50 rules of other metrics',
			points.slice(0, 50).map((point) => ruleOn(`other_${point}`)),
		),
		caseOf('50 rules on 50 of the points', points.slice(0, 50).map(ruleOn)),
	];
	let at = 0;
	for (let round = 0; round < ROUNDS; round += 1)
		for (const { take, measuredUs } of cases) {
			const fromMs = performance.now();
			for (let count = 0; count < READINGS; count += 1) take((at += 1));
			measuredUs.push(((performance.now() - fromMs) * 1_000) / READINGS);
		}
	const rows: Row[] = cases.map(({ name, measuredUs }) => ({
		'a reading of 100 points': name,
		'µs p50': median(measuredUs).toFixed(2),
		'best to worst': `${Math.min(...measuredUs).toFixed(2)} to ${Math.max(...measuredUs).toFixed(2)}`,
	}));
	const [idle, , watched] = cases.map(({ measuredUs }) => median(measuredUs));
	return {
		report: table(rows),
		isWithinLimits: (idle ?? Number.NaN) <= MOST_IDLE_US && (watched ?? Number.NaN) <= MOST_US,
	};
}
