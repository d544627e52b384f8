/** One mistake in the settings: where, which rule, what was found. */
export interface SettingsMistake {
	/** Dotted path, e.g. `http.port`, or the file or environment variable it came from. */
	readonly path: string;
	/** A sentence with the rule and the value; never the value of a secret. */
	readonly message: string;
}

/** All mistakes at once, so that the installer corrects the file in one go. The process exits with 78 (EX_CONFIG). */
export class SettingsFault extends Error {
	override readonly name = 'SettingsFault';
	readonly mistakes: readonly SettingsMistake[];

	constructor(mistakes: readonly SettingsMistake[]) {
		super(mistakes.map(({ path, message }) => `${path}: ${message}`).join('\n'));
		this.mistakes = mistakes;
	}
}
