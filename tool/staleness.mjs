/**
 * What must be done before the product can run, decided from file contents alone: no file is touched here.
 */

/** Oldest Node that runs the product: `require(esm)`-free ESM, `styleText` and the test runner's own floor. */
export const OLDEST_NODE = [20, 19];

/**
 * True when this Node can run the product.
 * @param {string} version e.g. `20.19.1`, without the `v`
 */
export function isNodeNewEnough(version) {
	const [major = 0, minor = 0] = version.split('.').map(Number);
	const [oldestMajor, oldestMinor] = OLDEST_NODE;
	return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/**
 * Why the packages must be installed again, or null when they are those of the lock file. Contents are compared, not
 * times: a checkout touches files without changing them. Packages for other platforms are optional and may be missing.
 * @param {string} wanted text of package-lock.json
 * @param {string | null} installed text of node_modules/.package-lock.json
 * @returns {string | null}
 */
export function installReason(wanted, installed) {
	if (installed === null) return 'node_modules is missing';
	const wantedPackages = packagesOf(wanted);
	const installedPackages = packagesOf(installed);
	if (installedPackages === null) return 'node_modules/.package-lock.json is not readable';
	for (const [path, { version, optional }] of Object.entries(wantedPackages ?? {})) {
		if (path === '') continue;
		const present = installedPackages[path];
		if (present === undefined && optional !== true) return `${path} is missing`;
		if (present !== undefined && present.version !== version) return `${path} is ${present.version}, not ${version}`;
	}
	const extra = Object.keys(installedPackages).find((path) => wantedPackages?.[path] === undefined);
	return extra === undefined ? null : `${extra} is no longer wanted`;
}

/** @param {string} text */
function packagesOf(text) {
	try {
		return JSON.parse(text).packages ?? null;
	} catch {
		return null;
	}
}

const OUTPUT = /^(?<stem>.+?)(?:\.d\.ts|\.js|\.js\.map)$/;

/**
 * Compiler outputs whose source is gone; the compiler leaves them, and the test runner would still run them.
 * @param {readonly string[]} outputs paths below dist/, with `/`
 * @param {ReadonlySet<string>} sources paths below the checkout, with `/`
 * @returns {string[]}
 */
export function orphans(outputs, sources) {
	return outputs.filter((output) => {
		if (output.startsWith('web/')) return false;
		const stem = OUTPUT.exec(output)?.groups?.stem;
		return stem !== undefined && !sources.has(`${stem}.ts`);
	});
}

/**
 * True when a lock file belongs to nobody: its process is gone, or it is older than any build lasts (the pid may have
 * been given to another program since).
 * @param {string} text the lock file: the pid
 * @param {number} ageMs
 * @param {(pid: number) => boolean} isAlive
 */
export function isLockStale(text, ageMs, isAlive) {
	const pid = Number(text.trim());
	// A lock of the last seconds without a pid is one that is being written.
	if (!Number.isSafeInteger(pid) || pid <= 0) return ageMs > 5_000;
	return ageMs > 30 * 60_000 || !isAlive(pid);
}
