/** How many levels a topic or filter has. */
export function topicLevels(topic: string): number {
	let levels = 1;
	for (let at = topic.indexOf('/'); at >= 0; at = topic.indexOf('/', at + 1)) levels += 1;
	return levels;
}

/**
 * True when everything the filter can match lies below `root/`. The root has to stand in the filter letter for letter, so a
 * wildcard cannot reach beside it, and a root does not own a topic that merely starts with its name.
 */
export const isBelow = (root: string, filter: string): boolean =>
	filter.startsWith(`${root}/`) && filter.length > root.length + 1;

/** True when a topic matches a filter (3.1.1 section 4.7); a wildcard in front leaves topics with `$` out (4.7.2). */
export function matchesFilter(filter: string, topic: string): boolean {
	if (topic.startsWith('$') && !filter.startsWith('$')) return false;
	const wanted = filter.split('/');
	const levels = topic.split('/');
	for (const [at, level] of wanted.entries()) {
		if (level === '#') return true;
		if (at >= levels.length || (level !== '+' && level !== levels[at])) return false;
	}
	return wanted.length === levels.length;
}

// oxlint-disable-next-line no-control-regex -- what the specification forbids or advises against (1.5.3), U+FFFD for bytes that are no UTF-8
const CONTROL = /[\u0000-\u001f\u007f-\u009f\ufffd]/;

/** True for text that a client should not send and that hides in logs: control characters and broken UTF-8 (3.1.1 section 1.5.3). */
export const hasControlCharacter = (text: string): boolean => CONTROL.test(text);

export interface TopicBounds {
	/** Levels of a topic or filter. */
	readonly topicLevels: number;
	/** UTF-16 units of a topic or filter. */
	readonly topicLength: number;
}

const isWithin = (text: string, { topicLevels: levels, topicLength }: TopicBounds): boolean =>
	text.length > 0 && text.length <= topicLength && topicLevels(text) <= levels && !CONTROL.test(text);

/** True for a topic that a client may publish on as far as its form goes: no wildcards, nothing of the broker's own `$` topics. */
export const isTopic = (topic: string, bounds: TopicBounds): boolean =>
	isWithin(topic, bounds) && !topic.startsWith('$') && !/[+#]/.test(topic);

/** True for a filter that a client may subscribe to as far as its form goes (3.1.1 section 4.7.1). */
export const isFilter = (filter: string, bounds: TopicBounds): boolean =>
	isWithin(filter, bounds) &&
	!filter.startsWith('$') &&
	filter
		.split('/')
		.every((level, at, all) => !/[+#]/.test(level) || level === '+' || (level === '#' && at === all.length - 1));
