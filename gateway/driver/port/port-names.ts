/** Paths that were looked for and belong to no device, at most; the one that came first goes first. */
const MOST_OTHERS = 256;

/** What a path was seen to lead to. */
interface Sighting {
	/** Tells one port from another, e.g. the name and identity of its device file. */
	readonly port: string;
	/** Whether it leads there now. */
	readonly isHere: boolean;
}

/** Which paths lead to one port. Whatever is asked here was looked at before; nothing is opened or waited for. */
export interface PortNames {
	/** The path leads to this port now. */
	saw(path: string, port: string): void;
	/** The path leads nowhere now. It keeps the port it had, else gets the one that is known of it from before; `null`: nothing is. */
	missed(path: string, known: string | null): void;
	/** The paths of all devices, in the order of their right to name a port. */
	use(paths: readonly string[]): void;
	/** All paths of devices that lead to the same port as this one, beside itself. */
	aliasesOf(path: string): readonly string[];
	/** The one path that stands for all that lead to the same port: the first of a device, else the one that was looked for first. */
	nameOf(path: string): string;
}

export function createPortNames(): PortNames {
	const sightings = new Map<string, Sighting>();
	let used: ReadonlySet<string> = new Set();

	function keep(path: string, sighting: Sighting): void {
		sightings.set(path, sighting);
		const others = [...sightings.keys()].filter((each) => !used.has(each));
		const [oldest] = others;
		if (others.length > MOST_OTHERS && oldest !== undefined) sightings.delete(oldest);
	}

	/** Names that went together, as when a plug is pulled, still lead to one port; one that stayed leads to another now. */
	function isSame(one: string, other: string): boolean {
		if (one === other) return true;
		const [a, b] = [sightings.get(one), sightings.get(other)];
		return a !== undefined && b !== undefined && a.port === b.port && a.isHere === b.isHere;
	}

	return {
		saw: (path, port) => keep(path, { port, isHere: true }),
		missed(path, known) {
			const port = sightings.get(path)?.port ?? known;
			if (port !== null) keep(path, { port, isHere: false });
		},
		use(paths) {
			used = new Set(paths);
		},
		aliasesOf: (path) => [...used].filter((each) => each !== path && isSame(each, path)),
		nameOf(path) {
			for (const each of used) if (isSame(each, path)) return each;
			for (const each of sightings.keys()) if (isSame(each, path)) return each;
			return path;
		},
	};
}
