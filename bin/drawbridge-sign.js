#!/usr/bin/env node
/** The tool of those who sign releases: keys, ceremonies, publishing. It works offline and on machines that run nothing else of this. */
import { existsSync } from 'node:fs';

const COMMAND = new URL('../dist/firmware-ota/sign/sign-command.js', import.meta.url);
const PASSPHRASE = new URL('../dist/firmware-ota/sign/passphrase.js', import.meta.url);
const CLOCK = new URL('../dist/core/kernel/clock.js', import.meta.url);

async function run(words) {
	if (!existsSync(COMMAND)) {
		process.stderr.write('drawbridge-sign: this checkout is not built; run "npm run build" first\n');
		return 1;
	}
	const [{ main }, { terminalAsk }, { systemClock }] = await Promise.all([
		import(COMMAND.href),
		import(PASSPHRASE.href),
		import(CLOCK.href),
	]);
	const { stdin, stdout, stderr, env } = process;
	return main(words, {
		out: (text) => void stdout.write(text),
		err: (text) => void stderr.write(text),
		clock: systemClock,
		passphrase: env.DRAWBRIDGE_SIGN_PASSPHRASE ?? null,
		// Questions go to the terminal, answers of the commands may go to a file.
		askHidden: stdin.isTTY && stderr.isTTY ? terminalAsk(stdin, stderr) : null,
	});
}

process.exitCode = await run(process.argv.slice(2));
