/** A mistake found before sending. */
export class Mistyped extends Error {
	/** Path of the field. */
	readonly field: string;

	constructor(field: string, sentence: string) {
		super(sentence);
		this.field = field;
	}
}
