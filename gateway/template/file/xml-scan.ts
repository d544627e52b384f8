/** One thing in an XML text, in its order. */
export type XmlToken =
	| {
			readonly kind: 'open';
			readonly name: string;
			readonly attributes: ReadonlyMap<string, string>;
			readonly isEmpty: boolean;
	  }
	| { readonly kind: 'close'; readonly name: string }
	| { readonly kind: 'text'; readonly text: string };

/** An XML text that is not read: damaged, or with declarations that could make much out of little. */
export class XmlFault extends Error {
	override readonly name = 'XmlFault';
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
	['lt', '<'],
	['gt', '>'],
	['amp', '&'],
	['quot', '"'],
	['apos', "'"],
]);
/** Most tags and texts of one file: five for each cell that a table may have. */
const MAX_TOKENS = 2_000_000;
/** Most characters of one tag. */
const MAX_TAG = 10_000;

const REFERENCE = /&(?:#x([\da-f]{1,6})|#(\d{1,7})|(\w{1,8}));/gi;
const NAME_END = /[\s/]/;
const ATTRIBUTE = /(?<![\w:.-])([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

function characterOf(code: number): string {
	return code > 0 && code <= 0x10_ffff ? String.fromCodePoint(code) : '';
}

const decoded = (text: string): string =>
	text.includes('&')
		? text.replaceAll(REFERENCE, (_all, hex?: string, decimal?: string, name?: string) => {
				if (hex !== undefined) return characterOf(Number.parseInt(hex, 16));
				if (decimal !== undefined) return characterOf(Number(decimal));
				const known = ENTITIES.get(name ?? '');
				if (known === undefined) throw new XmlFault(`must not use entities of its own; found &${name};`);
				return known;
			})
		: text;

/** Without a prefix of a namespace. */
const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

const attributesOf = (inner: string): ReadonlyMap<string, string> =>
	new Map(
		Array.from(inner.matchAll(ATTRIBUTE), ([, key = '', double, single]) => [
			localName(key),
			decoded(double ?? single ?? ''),
		]),
	);

function tagOf(inner: string): XmlToken {
	if (inner.startsWith('/')) return { kind: 'close', name: localName(inner.slice(1).trim()) };
	const isEmpty = inner.endsWith('/');
	const end = inner.search(NAME_END);
	const name = end < 0 ? inner : inner.slice(0, end);
	const attributes = inner.includes('=') ? attributesOf(inner) : NO_ATTRIBUTES;
	return { kind: 'open', name: localName(name), attributes, isEmpty };
}

/**
 * Reads elements, attributes and text of XML, one after the other: what workbooks are made of. Entities of its own and document types
 * are refused.
 * @throws XmlFault
 */
export function* xmlTokens(xml: string): Generator<XmlToken> {
	let at = 0;
	for (let left = MAX_TOKENS; at < xml.length; left -= 1) {
		if (left === 0) throw new XmlFault(`has more than ${MAX_TOKENS} tags and texts`);
		const open = xml.indexOf('<', at);
		if (open < 0) return;
		if (open > at) yield { kind: 'text', text: decoded(xml.slice(at, open)) };
		if (xml.startsWith('<!--', open)) at = endOf(xml, '-->', open);
		else if (xml.startsWith('<![CDATA[', open)) {
			at = endOf(xml, ']]>', open);
			yield { kind: 'text', text: xml.slice(open + 9, at - 3) };
		} else if (xml.startsWith('<?', open)) at = endOf(xml, '?>', open);
		else if (xml.startsWith('<!', open)) throw new XmlFault('must not declare a document type or entities');
		else {
			at = endOf(xml, '>', open);
			if (at - open > MAX_TAG) throw new XmlFault(`must not have tags of more than ${MAX_TAG} characters`);
			yield tagOf(xml.slice(open + 1, at - 1));
		}
	}
}

function endOf(xml: string, token: string, from: number): number {
	const end = xml.indexOf(token, from);
	if (end < 0) throw new XmlFault(`breaks off: ${token} is missing`);
	return end + token.length;
}
