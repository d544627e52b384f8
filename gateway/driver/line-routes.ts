import type { Plugin } from '@hapi/hapi';

import { anyUser } from '../../core/http/access.ts';
import type { LineStats } from './driver.ts';

const toView = (stats: LineStats) => ({
	line: stats.line,
	state: stats.state,
	reason: stats.reason,
	requests: stats.requests,
	answers: stats.answers,
	timeouts: stats.timeouts,
	exceptions: stats.exceptions,
	crc_errors: stats.crcErrors,
	stray_frames: stats.strayFrames,
	quarantines: stats.quarantines,
	skipped_periods: stats.skippedPeriods,
	utilisation: stats.utilisation,
	latency_p50_ms: stats.latencyP50Ms,
	latency_p99_ms: stats.latencyP99Ms,
});

/** The lines of this gateway with their counters: the first thing an installer looks at. */
export const lineRoutes: Plugin<{ readonly lines: () => readonly LineStats[] }> = {
	name: 'line-routes',
	register(server, { lines }) {
		server.route({ method: 'GET', path: '/lines', options: { ...anyUser, handler: () => lines().map(toView) } });
	},
};
