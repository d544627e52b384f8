import { access, rename } from 'node:fs/promises';

async function exists(path: string): Promise<boolean> {
	try {
		await access(path);
		return true;
	} catch {
		return false;
	}
}

/** Puts a damaged file or folder aside as `.damaged-<n>`, for a person to look at. @returns where it is now */
export async function moveAside(path: string): Promise<string> {
	let number = 1;
	while (await exists(`${path}.damaged-${number}`)) number += 1;
	const aside = `${path}.damaged-${number}`;
	await rename(path, aside);
	return aside;
}
