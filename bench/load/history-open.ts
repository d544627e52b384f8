import { join } from 'node:path';

import { openHistory } from '../../core/history/history.ts';
import { epochMs, systemClock } from '../../core/kernel/clock.ts';
import { deviceId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';

/** Opens the history of a folder in a process of its own and asks it for one point's day; prints what that took as JSON. */
const [folder = '', device = '', point = '', from = '0', to = '0'] = process.argv.slice(2);
const startMs = performance.now();
const { journal, history } = await openHistory({
	journal: { folder: join(folder, 'journal') },
	folder: join(folder, 'history'),
	maxBytes: 1024 ** 4,
	retentionDays: 3_650,
	clock: systemClock,
	log: silentLog,
});
const openMs = performance.now() - startMs;
const column = await history.column({
	device: deviceId(device),
	point,
	from: epochMs(Number(from)),
	to: epochMs(Number(to)),
});
const firstMs = performance.now() - startMs - openMs;
const rssMb = process.memoryUsage.rss() / 1e6;
process.stdout.write(JSON.stringify({ openMs, firstMs, rssMb, samples: column.times.length }));
await history.stop();
await journal.stop();
