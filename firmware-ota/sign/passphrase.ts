import { readFile, stat } from 'node:fs/promises';

import { Fault } from '../../core/kernel/fault.ts';

/** How passphrases are got: never from the command line, which every user of a machine can read. */
export interface Passphrases {
	/** @param what e.g. `key of alice` @throws Fault when there is no way to get one */
	ask(what: string): Promise<string>;
	/** The same, typed twice where somebody types it. */
	choose(what: string): Promise<string>;
}

/** Asks a person without showing what is typed. */
export type AskHidden = (question: string) => Promise<string>;

export interface PassphraseSources {
	/** A file that only its owner may read; its first line. */
	readonly file: string | null;
	/** From the environment. */
	readonly environment: string | null;
	/** `null`: nobody is there. */
	readonly askHidden: AskHidden | null;
}

const OTHERS_MAY = 0o077;

async function fromFile(path: string): Promise<string> {
	const { mode } = await stat(path).catch((error: unknown) => {
		throw new Fault('not-found', `the passphrase file ${path} cannot be read`, { cause: error });
	});
	if ((mode & OTHERS_MAY) !== 0)
		throw new Fault('forbidden', `the passphrase file ${path} is open to others; chmod 600 it`);
	const [line = ''] = (await readFile(path, 'utf8')).split(/\r?\n/, 1);
	return line;
}

/** The file before the environment before a person. */
export function createPassphrases({ file, environment, askHidden }: PassphraseSources): Passphrases {
	async function known(): Promise<string | null> {
		return file === null ? environment : fromFile(file);
	}

	function person(what: string): AskHidden {
		if (askHidden === null)
			throw new Fault(
				'not-authenticated',
				`the passphrase for the ${what} is missing: nobody is at a terminal; use --passphrase-file or DRAWBRIDGE_SIGN_PASSPHRASE`,
			);
		return askHidden;
	}

	return {
		ask: async (what) => (await known()) ?? person(what)(`Passphrase for the ${what}: `),
		async choose(what) {
			const found = await known();
			if (found !== null) return found;
			const first = await person(what)(`New passphrase for the ${what}: `);
			const second = await person(what)('The same again: ');
			if (first !== second) throw new Fault('rule-violation', 'the two passphrases differ');
			return first;
		},
	};
}

const [CTRL_C, CTRL_D, BACKSPACE, DELETE] = ['\u0003', '\u0004', '\b', '\u007f'];

/** What is asked of a terminal's keyboard. */
export interface Keyboard {
	/** Letters come one by one, and none is shown. */
	setRawMode(isRaw: boolean): unknown;
	setEncoding(encoding: 'utf8'): unknown;
	resume(): unknown;
	pause(): unknown;
	on(event: 'data', listener: (letters: string) => void): unknown;
	off(event: 'data', listener: (letters: string) => void): unknown;
}

/** Asks on a terminal, without an echo. */
export const terminalAsk =
	(input: Keyboard, output: { write(text: string): unknown }): AskHidden =>
	(question) =>
		new Promise((resolve, reject) => {
			let typed = '';
			output.write(question);
			input.setRawMode(true);
			input.setEncoding('utf8');
			input.resume();

			function end(settle: () => void): void {
				input.setRawMode(false);
				input.pause();
				input.off('data', take);
				output.write('\n');
				settle();
			}

			function take(letters: string): void {
				for (const letter of letters) {
					if (letter === CTRL_C) return end(() => reject(new Fault('state-conflict', 'called off')));
					if (letter === '\r' || letter === '\n' || letter === CTRL_D) return end(() => resolve(typed));
					typed = letter === BACKSPACE || letter === DELETE ? typed.slice(0, -1) : typed + letter;
				}
			}

			input.on('data', take);
		});
