import { runFuzz } from './fuzz-run.ts';
import { startFuzzGateway } from './fuzz-gateway.ts';
import { startFuzzHub } from './fuzz-hub.ts';

/** `node main.js [requests] [seed] [gateway|hub]`: the long run, whose figures it prints. */
const [requests = '100000', seed = String(Date.now() % 1_000_000), role = 'gateway'] = process.argv.slice(2);
const endings: (() => Promise<void>)[] = [];

try {
	const start = role === 'hub' ? startFuzzHub : startFuzzGateway;
	const target = await start({ teardown: (end) => void endings.push(end) });
	const report = await runFuzz(target, {
		seed: Number(seed),
		requests: Number(requests),
		parallel: 8,
		// A remote call may wait for its gateway.
		withinMs: role === 'hub' ? 20_000 : 10_000,
	});
	console.log(JSON.stringify({ seed: Number(seed), ...report }, null, '\t'));
	process.exitCode = report.failures.length === 0 ? 0 : 1;
} finally {
	for (const end of endings.toReversed()) await end();
}
