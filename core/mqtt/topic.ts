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
