import { type OpenHistoryOptions, openHistory } from '../../core/history/history.ts';
import type { FileLayer, JournalFile } from '../../core/journal/file-layer.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createManualClock } from './manual-clock.ts';
import { createPowerCutFiles, type PowerCutFiles } from './power-cut-files.ts';
import { START_MS } from './sample-readings.ts';

export const HISTORY_FOLDER = '/history';

/** Journal and history over files in memory, and a clock that is moved by hand. Nothing runs by time but what a test calls. */
export function historyBench(files: PowerCutFiles = createPowerCutFiles()) {
	const clock = createManualClock(START_MS);
	const open = (more: Partial<OpenHistoryOptions> = {}) =>
		openHistory({
			folder: HISTORY_FOLDER,
			clock,
			log: silentLog,
			files,
			setTimer: () => () => undefined,
			...more,
			journal: { folder: '/journal', promptMs: 0, segmentBytes: 64 * 1024, ...more.journal },
		});
	return { files, clock, open };
}

export type HistoryBench = ReturnType<typeof historyBench>;

/** The same files, of which the power goes at the operation of this number: it and all after it fail. */
export function failingAt(files: FileLayer, operation: number) {
	let count = 0;
	function step(): void {
		count += 1;
		if (count >= operation) throw new Error('EIO: the power went');
	}
	const wrapped = (file: JournalFile): JournalFile => ({
		read: (position, length) => file.read(position, length),
		async write(position, bytes) {
			step();
			await file.write(position, bytes);
		},
		async datasync() {
			step();
			await file.datasync();
		},
		async truncate(bytes) {
			step();
			await file.truncate(bytes);
		},
		close: () => file.close(),
	});
	const layer: FileLayer = {
		...files,
		open: async (path) => wrapped(await files.open(path)),
		openDurable: async (path) => wrapped(await files.openDurable(path)),
		async create(path) {
			step();
			return wrapped(await files.create(path));
		},
		async rename(from, to) {
			step();
			await files.rename(from, to);
		},
		async remove(path) {
			step();
			await files.remove(path);
		},
		async syncFolder(folder) {
			step();
			await files.syncFolder(folder);
		},
		async writeText(path, text) {
			step();
			await files.writeText(path, text);
		},
	};
	return { layer, operations: () => count };
}
