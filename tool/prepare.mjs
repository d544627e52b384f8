/**
 * Makes a checkout runnable: installs what is missing, compiles what is stale, bundles the pages when they changed.
 * Plain JavaScript on Node's own modules, because it runs before anything is installed. `npm start`, `npm test` and
 * `npm run build` begin with it.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { OLDEST_NODE, installReason, isLockStale, isNodeNewEnough, orphans } from './staleness.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const LOCK = join(ROOT, 'dist', 'prepare.lock');
const WEB_STAMP = join(ROOT, 'dist', 'web.stamp');
const TEMPLATE_STAMP = join(ROOT, 'dist', 'proven-templates.stamp');
const LOCK_POLL_MS = 200;
/** Folders of the checkout that never hold TypeScript of ours. */
const NOT_SOURCE = new Set(['node_modules', 'dist', 'data', 'coverage', '.git', 'web']);

const at = (/** @type {string[]} */ ...parts) => join(ROOT, ...parts);
const say = (/** @type {string} */ line) => console.log(`prepare: ${line}`);
const readOrNull = (/** @type {string} */ path) => (existsSync(path) ? readFileSync(path, 'utf8') : null);

/** Ends the preparation with a sentence or with the output of the tool that failed. */
class StepFailed extends Error {}

/**
 * All files below a folder, as paths with `/` relative to `base`.
 * @param {string} folder @param {string} base @param {ReadonlySet<string>} skipped names of folders at the top
 * @returns {string[]}
 */
function filesBelow(folder, base, skipped = new Set()) {
	if (!existsSync(folder)) return [];
	return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) return skipped.has(entry.name) ? [] : filesBelow(path, base, skipped);
		return entry.isFile() ? [relative(base, path).split(sep).join('/')] : [];
	});
}

/**
 * Runs a tool and keeps quiet about it unless it fails.
 * @param {string} what @param {string} file @param {readonly string[]} args @param {NodeJS.ProcessEnv} env
 */
async function run(what, file, args, env = process.env) {
	const child = spawn(file, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
	let output = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8');
		stream.on('data', (text) => (output += text));
	}
	const code = await new Promise((resolve) => {
		child.once('error', (error) => {
			output += `${error.message}\n`;
			resolve(127);
		});
		child.once('close', resolve);
	});
	if (code !== 0) throw new StepFailed(`${what} failed (exit ${code}):\n${output.trim()}`);
}

async function installPackages() {
	const reason = installReason(
		readFileSync(at('package-lock.json'), 'utf8'),
		readOrNull(at('node_modules', '.package-lock.json')),
	);
	if (reason === null) return;
	const isLink = lstatSync(at('node_modules'), { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
	if (isLink) throw new StepFailed(`${reason}; node_modules is a link, so install where it points to`);
	say(`installing packages (${reason})`);
	const npmScript = process.env['npm_execpath'];
	const [file, first] = npmScript?.endsWith('.js') ? [process.execPath, [npmScript]] : ['npm', []];
	// Install scripts are left out: every native module brings its binaries, and npm 11 would not run them either.
	const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
	await run('npm ci', file, [...first, 'ci', ...quiet], {
		...process.env,
		npm_config_yes: 'true',
		npm_config_update_notifier: 'false',
	});
}

async function compile() {
	const sources = new Set(
		filesBelow(ROOT, ROOT, NOT_SOURCE).filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts')),
	);
	const gone = orphans(filesBelow(at('dist'), at('dist'), new Set(['web'])), sources);
	for (const path of gone) rmSync(at('dist', path), { force: true });
	if (gone.length > 0) say(`removed ${gone.length} outputs without a source`);
	const before = newestOf('dist');
	await run('tsc -b', process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-b']);
	if (newestOf('dist') > before) say('compiled');
}

/** The latest change of a build-info file, ms since the epoch: the compiler writes them when it has worked. */
function newestOf(/** @type {string} */ folder) {
	const infos = readdirSync(at(folder)).filter((name) => name.endsWith('.tsbuildinfo'));
	return Math.max(0, ...infos.map((name) => statSync(at(folder, name)).mtimeMs));
}

/** One number for the names and contents of files and the packages. @param {readonly string[]} paths */
function stampOf(paths) {
	const hash = createHash('sha256');
	for (const path of paths.toSorted()) hash.update(`${path}\0`).update(readFileSync(at(path)));
	hash.update(readFileSync(at('package-lock.json')));
	return hash.digest('hex');
}

/** A template that is sound needs no second look when the program starts. */
async function proveTemplates() {
	const templates = filesBelow(at('config', 'template'), ROOT).filter((path) => path.endsWith('.json'));
	const rules = filesBelow(at('dist', 'config'), ROOT).filter((path) => path.endsWith('.js'));
	const stamp = stampOf([...templates, ...rules]);
	if (readOrNull(TEMPLATE_STAMP) === stamp && existsSync(at('dist', 'proven-templates'))) return;
	await run('tool/prove-templates.mjs', process.execPath, [at('tool', 'prove-templates.mjs')]);
	writeFileSync(TEMPLATE_STAMP, stamp);
}

async function bundlePages() {
	if (!existsSync(at('web', 'build.mjs'))) return;
	const stamp = stampOf(filesBelow(at('web'), ROOT, new Set(['node_modules', 'dist'])));
	if (readOrNull(WEB_STAMP) === stamp && existsSync(at('dist', 'web'))) return;
	say('bundling the pages');
	await run('web/build.mjs', process.execPath, [at('web', 'build.mjs')]);
	writeFileSync(WEB_STAMP, stamp);
}

const isAlive = (/** @type {number} */ pid) => {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return error instanceof Error && 'code' in error && error.code === 'EPERM';
	}
};

/** Writes the lock file if there is none. */
function couldLock() {
	try {
		writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
		return true;
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
		throw error;
	}
}

/** Removes a lock that belongs to nobody. Read twice: another waiter may have replaced the lock that was judged. */
function dropStaleLock() {
	const holder = readOrNull(LOCK);
	const ageMs = Date.now() - (statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
	const isStale = holder !== null && isLockStale(holder, ageMs, isAlive);
	if (isStale && readOrNull(LOCK) === holder) rmSync(LOCK, { force: true });
}

/** Takes the lock, waiting for another preparation of this checkout. @returns {Promise<() => void>} gives it back */
async function takeLock() {
	mkdirSync(dirname(LOCK), { recursive: true });
	for (let turns = 0; !couldLock(); turns += 1) {
		if (turns === 1) say(`waiting for another preparation (${LOCK})`);
		dropStaleLock();
		await sleep(LOCK_POLL_MS);
	}
	return () => rmSync(LOCK, { force: true });
}

async function prepare() {
	if (!isNodeNewEnough(process.versions.node)) {
		const oldest = OLDEST_NODE.join('.');
		throw new StepFailed(`Node ${oldest} or newer is needed; this is Node ${process.versions.node}`);
	}
	const giveBack = await takeLock();
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
		process.once(signal, () => {
			giveBack();
			process.exit(1);
		});
	}
	try {
		await installPackages();
		await compile();
		await proveTemplates();
		await bundlePages();
	} finally {
		giveBack();
	}
}

try {
	await prepare();
} catch (error) {
	if (!(error instanceof StepFailed)) throw error;
	console.error(`prepare: ${error.message}`);
	process.exitCode = 1;
}
