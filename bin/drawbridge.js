#!/usr/bin/env -S UV_THREADPOOL_SIZE=8 node --max-semi-space-size=4
/**
 * The command line of both hulls: finds the role, checks the options, hands over. Young objects get 12 MB instead of up to 48: a box
 * has little memory, and it costs no processor time at its load. Eight threads instead of four serve disk, names and passwords, so that
 * logins leave some for the journal; Node reads their number before the first line of a script runs.
 */
import { existsSync, readFileSync } from 'node:fs';

/** Exit code of sysexits.h for a command line that was not understood. */
const EX_USAGE = 64;

const MAINS = {
	gateway: new URL('../dist/gateway/main.js', import.meta.url),
	hub: new URL('../dist/cloud/main.js', import.meta.url),
	'claim-code': new URL('../dist/core/box/claim-code-command.js', import.meta.url),
};

/** Words that need their data folder named, and take nothing else: no role says where it is. */
const NEEDS_DATA = new Set(['claim-code']);

/** Options and whether a value follows. */
const OPTIONS = { '--config': 'FILE', '--data': 'DIR' };

const USAGE = `usage: drawbridge gateway|hub [--config FILE] [--data DIR]
       drawbridge claim-code --data DIR
       drawbridge --version | --help

  gateway         run the appliance
  hub             run the cloud hub
  claim-code      make a code that claims the box of DIR once more, also while it runs: for a lost password
  --config FILE   settings (YAML); every key can be overridden by DRAWBRIDGE_<SECTION>_<KEY>
  --data DIR      folder of everything durable
`;

/** The first mistake of the command line, as a sentence; null when there is none. */
function mistakeOf(role, options) {
	if (role === undefined) return 'a role is missing: gateway or hub';
	if (!Object.hasOwn(MAINS, role)) return `unknown role or option "${role}"`;
	const seen = new Set();
	for (let index = 0; index < options.length; index += 2) {
		const option = options[index];
		const value = options[index + 1];
		if (!Object.hasOwn(OPTIONS, option) || (NEEDS_DATA.has(role) && option !== '--data'))
			return `unknown option "${option}"`;
		if (seen.has(option)) return `${option} is given twice`;
		if (value === undefined || value.startsWith('--')) return `${option} needs a ${OPTIONS[option]}`;
		seen.add(option);
	}
	if (NEEDS_DATA.has(role) && !seen.has('--data')) return `${role} needs --data DIR`;
	return null;
}

function refuse(sentence, code) {
	process.stderr.write(`drawbridge: ${sentence}\n`);
	process.exitCode = code;
}

async function run([role, ...rest]) {
	if (role === '--help' || role === '-h' || (Object.hasOwn(MAINS, role ?? '') && rest.includes('--help'))) {
		process.stdout.write(USAGE);
		return;
	}
	if (role === '--version') {
		const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
		process.stdout.write(`${version}\n`);
		return;
	}
	// `--data=DIR` and `--data DIR` mean the same.
	const options = rest.flatMap((word) => {
		const cut = word.startsWith('--') ? word.indexOf('=') : -1;
		return cut < 0 ? [word] : [word.slice(0, cut), word.slice(cut + 1)];
	});
	const mistake = mistakeOf(role, options);
	if (mistake !== null) {
		refuse(`${mistake}\n\n${USAGE}`, EX_USAGE);
		return;
	}
	if (!existsSync(MAINS[role])) {
		refuse(`this checkout is not built; run "npm run build" first`, 1);
		return;
	}
	const { main } = await import(MAINS[role].href);
	await main(options);
}

await run(process.argv.slice(2));
