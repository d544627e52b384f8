#!/usr/bin/env node
/** The tool of whoever stands before a box with a shell: finds the command and hands over. */
import { existsSync, readFileSync } from 'node:fs';

/** Exit code of sysexits.h for a command line that was not understood. */
const EX_USAGE = 64;

/** Each command is a module with `main(arguments)`, which resolves to the exit code. */
const COMMANDS = {
	simulate: {
		module: new URL('../dist/gateway/simulator/simulate-command.js', import.meta.url),
		help: 'play devices on Modbus TCP, RTU or ASCII, with faults or from a recording',
	},
};

const LIST = Object.entries(COMMANDS)
	.map(([name, { help }]) => `  ${name.padEnd(16)}${help}`)
	.join('\n');

const USAGE = `usage: gatewayctl COMMAND [options]
       gatewayctl COMMAND --help
       gatewayctl --version | --help

${LIST}
`;

function refuse(sentence, code) {
	process.stderr.write(`gatewayctl: ${sentence}\n`);
	process.exitCode = code;
}

async function run([name, ...rest]) {
	if (name === '--help' || name === '-h') {
		process.stdout.write(USAGE);
		return;
	}
	if (name === '--version') {
		const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
		process.stdout.write(`${version}\n`);
		return;
	}
	if (name === undefined || !Object.hasOwn(COMMANDS, name)) {
		const mistake = name === undefined ? 'a command is missing' : `unknown command "${name}"`;
		refuse(`${mistake}\n\n${USAGE}`, EX_USAGE);
		return;
	}
	const { module } = COMMANDS[name];
	if (!existsSync(module)) {
		refuse(`this checkout is not built; run "npm run build" first`, 1);
		return;
	}
	const { main } = await import(module.href);
	process.exitCode = await main(rest);
}

await run(process.argv.slice(2));
