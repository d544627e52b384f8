import { Fault, messageOf } from '../../core/kernel/fault.ts';
import { exportCommand, importCommand, newKeyCommand, signCommand } from './key-commands.ts';
import {
	addTargetCommand,
	delegateCommand,
	factoryCommand,
	initCommand,
	publishCommand,
	removeTargetCommand,
	renewCommand,
	rotateCommand,
	statusCommand,
	undelegateCommand,
	verifyCommand,
} from './repository-commands.ts';
import { type AskHidden, createPassphrases } from './passphrase.ts';
import { SCRYPT_N } from './key-file.ts';
import type { SignContext } from './sign-context.ts';
import { helpOf, type Options, type OptionSpecs, readOptions, UsageFault } from './sign-options.ts';
import type { Clock } from '../../core/kernel/clock.ts';

interface Command {
	readonly help: string;
	readonly options: OptionSpecs;
	readonly run: (options: Options, context: SignContext) => Promise<void>;
}

const repository = { value: 'DIR', help: 'the repository', isDemanded: true };
const role = { value: 'ROLE', help: 'root, targets, snapshot, timestamp or a delegated role', isDemanded: true };
const days = { value: 'DAYS', help: 'how long it will be valid' };
const threshold = { value: 'N', help: 'so many of its keys have to sign; 1 if it is not said' };
const passphrase = { value: 'FILE', help: 'its first line is the passphrase; only its owner may read it' };
const keysFor = (name: string, isDemanded = true) => ({
	value: 'FILE',
	help: `key for ${name}: its .pub file`,
	isMany: true,
	isDemanded,
});
const sealed = { value: 'FILE', help: 'the sealed key', isMany: true };

const timeIsRight = { value: null, help: 'somebody has looked at the clock, though nothing was signed for months' };

/** Everything that can be done, in the order of a repository's life. */
const COMMANDS: Readonly<Record<string, Command>> = {
	'new-key': {
		help: 'Makes a key; the secret is sealed under a passphrase.',
		options: {
			key: { value: 'FILE', help: 'gets the sealed key, FILE.pub its public half', isDemanded: true },
			name: { value: 'NAME', help: 'of the person or machine', isDemanded: true },
			'passphrase-file': passphrase,
		},
		run: newKeyCommand,
	},
	init: {
		help: 'Stages the first root and the first targets.',
		options: {
			repository,
			'root-key': keysFor('root'),
			'root-threshold': threshold,
			'targets-key': keysFor('targets'),
			'targets-threshold': threshold,
			'snapshot-key': keysFor('snapshot'),
			'timestamp-key': keysFor('timestamp'),
			days,
		},
		run: initCommand,
	},
	rotate: {
		help: 'Stages a root with other keys for a top-level role.',
		options: {
			repository,
			role,
			'add-key': keysFor('the role', false),
			'remove-key': { value: 'ID', help: 'key id, or its beginning', isMany: true },
			threshold: { value: 'N', help: 'so many have to sign; as before if it is not said' },
		},
		run: rotateCommand,
	},
	delegate: {
		help: 'Stages a delegation, or other keys and paths for one that is there.',
		options: {
			repository,
			role,
			path: { value: 'PATTERN', help: 'what it may sign, e.g. "firmware/acme/*"', isMany: true, isDemanded: true },
			key: keysFor('the role'),
			threshold,
			'not-terminating': { value: null, help: 'roles after it may sign for these paths too' },
		},
		run: delegateCommand,
	},
	undelegate: { help: 'Stages targets without a delegation.', options: { repository, role }, run: undelegateCommand },
	'add-target': {
		help: 'Copies a file into the repository and stages it in a role.',
		options: {
			repository,
			role,
			path: { value: 'PATH', help: 'its path among the targets', isDemanded: true },
			file: { value: 'FILE', help: 'where its bytes are', isDemanded: true },
			custom: { value: 'FILE', help: 'JSON object that is signed with it: product, version, seq, ...' },
		},
		run: addTargetCommand,
	},
	'remove-target': {
		help: 'Stages a role without a target.',
		options: { repository, role, path: { value: 'PATH', help: 'of the target', isDemanded: true } },
		run: removeTargetCommand,
	},
	renew: {
		help: 'Stages a role as it is, with a new time.',
		options: { repository, role, days },
		run: renewCommand,
	},
	export: {
		help: 'Writes what is staged of a role to a file that is carried to signers.',
		options: { repository, role, to: { value: 'FILE', help: 'the signing request', isDemanded: true } },
		run: exportCommand,
	},
	sign: {
		help: 'Shows what is to be signed and adds a signature: in a signing request, or in the repository itself.',
		options: {
			request: { value: 'FILE', help: 'a signing request, changed in place' },
			repository: { value: 'DIR', help: 'or the repository' },
			role: { value: 'ROLE', help: 'and the staged role' },
			key: { value: 'FILE', help: 'the sealed key', isDemanded: true },
			'passphrase-file': passphrase,
		},
		run: signCommand,
	},
	import: {
		help: 'Takes the signatures of a signing request that came back.',
		options: { repository, from: { value: 'FILE', help: 'the signing request', isDemanded: true } },
		run: importCommand,
	},
	publish: {
		help: 'Publishes what is signed, with a new timestamp, and a new snapshot where it is needed.',
		options: {
			repository,
			'snapshot-key': { ...sealed, help: 'the sealed key; demanded when there is a new snapshot' },
			'timestamp-key': { ...sealed, isDemanded: true },
			'snapshot-days': days,
			'timestamp-days': days,
			'time-is-right': timeIsRight,
			'passphrase-file': passphrase,
		},
		run: publishCommand,
	},
	factory: {
		help: 'Writes what a build of the product brings along: the newest root, and the time of the build.',
		options: {
			repository,
			to: { value: 'DIR', help: 'folder in the build', isDemanded: true },
			'time-is-right': timeIsRight,
		},
		run: factoryCommand,
	},
	verify: {
		help: 'Looks the repository over as a box would, and reads all targets.',
		options: {
			repository,
			root: { value: 'FILE', help: 'root that the box was shipped with; 1.root.json if not said' },
		},
		run: verifyCommand,
	},
	status: {
		help: 'Says what is published, until when, and who has still to sign.',
		options: { repository },
		run: statusCommand,
	},
};

const LIST = Object.entries(COMMANDS)
	.map(([name, { help }]) => `  ${name.padEnd(16)}${help}`)
	.join('\n');

const USAGE = `usage: drawbridge-sign COMMAND [options]
       drawbridge-sign COMMAND --help

${LIST}

Passphrases come from --passphrase-file, from DRAWBRIDGE_SIGN_PASSPHRASE, or are asked for. Nothing here needs a network.
`;

/** What the process has of the world; tests hand in their own. */
export interface SignWorld {
	readonly out: (text: string) => void;
	readonly err: (text: string) => void;
	readonly clock: Clock;
	/** Of the environment; `null`: it is not set. */
	readonly passphrase: string | null;
	/** `null`: nobody is at a terminal. */
	readonly askHidden: AskHidden | null;
	readonly scryptN?: number;
}

/** Exit codes of sysexits.h. */
const EX_USAGE = 64;
const EX_DATAERR = 65;

async function run(
	{ options: specs, run: command }: Command,
	words: readonly string[],
	world: SignWorld,
): Promise<void> {
	const options = readOptions(specs, words);
	const file = 'passphrase-file' in specs ? options.textOr('passphrase-file') : null;
	const passphrases = createPassphrases({ file, environment: world.passphrase, askHidden: world.askHidden });
	const say = (line: string): void => world.out(`${line}\n`);
	await command(options, { say, passphrases, clock: world.clock, scryptN: world.scryptN ?? SCRYPT_N });
}

/** Runs a command line. @returns the exit code: 0, 64 when it was not understood, 65 when something was refused */
export async function main([name, ...words]: readonly string[], world: SignWorld): Promise<number> {
	if (name === '--help' || name === '-h') {
		world.out(USAGE);
		return 0;
	}
	const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
	if (name === undefined || command === undefined) {
		world.err(
			`drawbridge-sign: ${name === undefined ? 'a command is missing' : `unknown command "${name}"`}\n\n${USAGE}`,
		);
		return EX_USAGE;
	}
	if (words.includes('--help')) {
		world.out(helpOf(name, command.help, command.options));
		return 0;
	}
	try {
		await run(command, words, world);
		return 0;
	} catch (error) {
		if (!(error instanceof Fault)) throw error;
		world.err(`drawbridge-sign: ${messageOf(error)}\n`);
		return error instanceof UsageFault ? EX_USAGE : EX_DATAERR;
	}
}
