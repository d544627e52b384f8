import { runFuzz } from './fuzz-run.ts';
import { startFuzzGateway } from './fuzz-gateway.ts';

/** `node main.js [requests] [seed]`: the long run, whose figures it prints. */
const [requests = '100000', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const endings: (() => Promise<void>)[] = [];

try {
	const target = await startFuzzGateway({ teardown: (end) => void endings.push(end) });
	const report = await runFuzz(target, {
		seed: Number(seed),
		requests: Number(requests),
		parallel: 8,
		withinMs: 10_000,
	});
	console.log(JSON.stringify({ seed: Number(seed), ...report }, null, '\t'));
	process.exitCode = report.failures.length === 0 ? 0 : 1;
} finally {
	for (const end of endings.toReversed()) await end();
}
