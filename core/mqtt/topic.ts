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
