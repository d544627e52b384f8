import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

function filesBelow(folder: string): ReadonlyMap<string, string> {
	const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
	return new Map(
		files.map(({ parentPath, name }) => {
			const path = join(parentPath, name);
			return [path.slice(folder.length + 1), path];
		}),
	);
}

/** Files that are in one folder only, or that differ. Empty: both hold the same. */
export function folderDifferences(one: string, other: string): readonly string[] {
	const [here, there] = [filesBelow(one), filesBelow(other)];
	const differences = [...there.keys()].filter((name) => !here.has(name)).map((name) => `${name} is in ${other} only`);
	for (const [name, path] of here) {
		const twin = there.get(name);
		if (twin === undefined) differences.push(`${name} is in ${one} only`);
		else if (!readFileSync(path).equals(readFileSync(twin))) differences.push(`${name} differs`);
	}
	return differences;
}
