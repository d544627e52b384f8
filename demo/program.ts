import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Path of a program this user can run, looked up as a shell would and in the folders of administrators; null: none. */
export function findProgram(name: string): string | null {
	const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
	const path = folders
		.filter((folder) => folder !== '')
		.map((folder) => join(folder, name))
		.find((candidate) => {
			try {
				accessSync(candidate, constants.X_OK);
				return true;
			} catch {
				return false;
			}
		});
	return path ?? null;
}
