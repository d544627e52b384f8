/** What a form says of a field; empty when it has none. */
export type ReadField = (name: string) => string;

/** A part of what is sent. */
export type Body = Readonly<Record<string, unknown>>;

/** A number, unless the field is empty. */
export const givenNumber = (key: string, text: string): Body => (text.trim() === '' ? {} : { [key]: Number(text) });

/** A text, unless the field is empty. */
export const givenText = (key: string, text: string): Body => (text.trim() === '' ? {} : { [key]: text.trim() });
