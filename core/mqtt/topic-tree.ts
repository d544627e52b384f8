interface Node<V> {
	readonly children: Map<string, Node<V>>;
	value: V | undefined;
}

/**
 * Values at topics or at filters, found level by level: what a lookup costs follows the depth and what it finds, not what is stored.
 * The caller bounds the depth.
 */
export interface TopicTree<V> {
	get(path: string): V | undefined;
	set(path: string, value: V): void;
	delete(path: string): void;
	/** Values at the filters that match a topic (3.1.1 section 4.7). */
	matching(topic: string): readonly V[];
	/** Values at the topics that a filter matches, looked up while they are taken. */
	below(filter: string): IterableIterator<V>;
}

const emptyNode = <V>(): Node<V> => ({ children: new Map(), value: undefined });

function* valuesOf<V>(node: Node<V>): IterableIterator<V> {
	if (node.value !== undefined) yield node.value;
	for (const child of node.children.values()) yield* valuesOf(child);
}

export function createTopicTree<V>(): TopicTree<V> {
	const root = emptyNode<V>();

	function nodeAt(levels: readonly string[]): Node<V> | undefined {
		let node: Node<V> | undefined = root;
		for (const level of levels) node = node?.children.get(level);
		return node;
	}

	/** Removes a value and the levels that nothing hangs on any more. */
	function remove(node: Node<V>, levels: readonly string[], at: number): void {
		const level = levels[at];
		if (level === undefined) {
			node.value = undefined;
			return;
		}
		const child = node.children.get(level);
		if (child === undefined) return;
		remove(child, levels, at + 1);
		if (child.value === undefined && child.children.size === 0) node.children.delete(level);
	}

	function collect(node: Node<V>, levels: readonly string[], at: number, found: V[]): void {
		const isWild = at > 0 || levels[0]?.startsWith('$') === false;
		const rest = isWild ? node.children.get('#')?.value : undefined;
		if (rest !== undefined) found.push(rest);
		const level = levels[at];
		if (level === undefined) {
			if (node.value !== undefined) found.push(node.value);
			return;
		}
		const same = node.children.get(level);
		if (same !== undefined) collect(same, levels, at + 1, found);
		const any = isWild ? node.children.get('+') : undefined;
		if (any !== undefined) collect(any, levels, at + 1, found);
	}

	/** Children that a wildcard reaches: on the first level none of the broker's own (4.7.2). */
	function* reached(node: Node<V>, at: number): IterableIterator<Node<V>> {
		for (const [name, child] of node.children) if (at > 0 || !name.startsWith('$')) yield child;
	}

	function* find(node: Node<V>, levels: readonly string[], at: number): IterableIterator<V> {
		const level = levels[at];
		if ((level === undefined || (level === '#' && at > 0)) && node.value !== undefined) yield node.value;
		if (level === undefined) return;
		if (level === '#') for (const child of reached(node, at)) yield* valuesOf(child);
		else if (level === '+') for (const child of reached(node, at)) yield* find(child, levels, at + 1);
		else {
			const child = node.children.get(level);
			if (child !== undefined) yield* find(child, levels, at + 1);
		}
	}

	return {
		get: (path) => nodeAt(path.split('/'))?.value,
		set(path, value) {
			let node = root;
			for (const level of path.split('/')) {
				const child: Node<V> = node.children.get(level) ?? emptyNode<V>();
				node.children.set(level, child);
				node = child;
			}
			node.value = value;
		},
		delete: (path) => remove(root, path.split('/'), 0),
		matching(topic) {
			const found: V[] = [];
			collect(root, topic.split('/'), 0, found);
			return found;
		},
		below: (filter) => find(root, filter.split('/'), 0),
	};
}
