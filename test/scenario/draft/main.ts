import { readFileSync } from 'node:fs';

import { parseCapture } from '../../../gateway/diagnose/capture.ts';
import { draftExpectation } from './draft-expectation.ts';

/** `node dist/test/scenario/draft/main.js capture.jsonl`: prints the beginning of the `expect.json` that goes beside it. */
const [file] = process.argv.slice(2);
if (file === undefined) {
	console.error('usage: node dist/test/scenario/draft/main.js CAPTURE');
	process.exitCode = 64;
} else {
	console.log(JSON.stringify(draftExpectation(parseCapture(readFileSync(file, 'utf8'))), null, '\t'));
}
