import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { epochMs, systemClock } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createFolderMetadataSource } from '../../firmware-ota/trust/folder-source.ts';
import { openTrust } from '../../firmware-ota/trust/trust-service.ts';
import { appendMark } from '../system/power-cut/record-log.ts';

/**
 * A box that lives through the stages of a repository, one process after the other as updates go, and says after each what it trusts.
 * Arguments: its folder, the folder of the stages, their number, the log that gets the marks.
 */
const [folder = '', stages = '', count = '0', log = ''] = process.argv.slice(2);
const factoryRoot = readFileSync(join(stages, '1', '1.root.json'), 'utf8');
const signal = new AbortController().signal;

for (let stage = 1; stage <= Number(count); stage += 1) {
	const trust = await openTrust({ folder, factoryRoot, builtAt: epochMs(0), clock: systemClock, log: silentLog });
	const source = createFolderMetadataSource(join(stages, String(stage)));
	const { rootVersion, timestampVersion } = await trust.refresh({ source, signal });
	appendMark(log, `${stage} ${rootVersion} ${timestampVersion}`);
}
