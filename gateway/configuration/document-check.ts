import { SettingsFault } from '../../config/settings-fault.ts';
import {
	changedDevices,
	type ConfigurationDocument,
	type ConfigurationMistake,
	type ConfiguredDevice,
	jsonOf,
} from '../../core/configuration/configuration.ts';
import { checkDocument } from '../../core/configuration/configuration-schema.ts';
import { toPointer } from '../../core/configuration/json-pointer.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { TemplateShelf } from './template-shelf.ts';

export interface DocumentCheckDeps {
	readonly shelf: Pick<TemplateShelf, 'read' | 'has'>;
	/** Templates of the product, of the box's own folder and of the site. */
	readonly base: { readonly has: (key: string) => boolean };
	/** Size of a segment of the journal, bytes. */
	readonly segmentBytes: number;
}

type SerialView = { readonly path: string; readonly settings: string };

function serialOf({ connection }: ConfiguredDevice): SerialView | null {
	if (connection?.driver !== 'modbus' || connection.line.transport !== 'rtu') return null;
	const { path, baud_rate, data_bits, parity, stop_bits } = connection.line;
	return { path, settings: `${baud_rate} ${data_bits}${parity.charAt(0).toUpperCase()}${stop_bits}` };
}

/** All devices on one serial port talk with the same settings. */
function lineMistakes(document: ConfigurationDocument, changed: ReadonlySet<string>): ConfigurationMistake[] {
	const first = new Map<string, { readonly uid: string; readonly settings: string }>();
	const mistakes: ConfigurationMistake[] = [];
	// Those that stay say how the line talks.
	const uids = Object.keys(document.devices).toSorted((a, b) => Number(changed.has(a)) - Number(changed.has(b)));
	for (const uid of uids) {
		const device = document.devices[uid];
		const serial = device === undefined ? null : serialOf(device);
		if (serial === null) continue;
		const other = first.get(serial.path) ?? { uid, settings: serial.settings };
		first.set(serial.path, other);
		if (other.settings !== serial.settings && changed.has(uid))
			mistakes.push({
				path: toPointer(['devices', uid, 'connection', 'line', 'path']),
				message: `${serial.path} is used by device ${other.uid} with ${other.settings}, not ${serial.settings}`,
			});
	}
	return mistakes;
}

/** Everything that is wrong with a document on this box. What it already runs is not held against it. */
export function createDocumentCheck({ shelf, base, segmentBytes }: DocumentCheckDeps) {
	async function templateMistakes(document: ConfigurationDocument): Promise<readonly ConfigurationMistake[]> {
		const mistakes: ConfigurationMistake[] = [];
		for (const [key, { sha256 }] of Object.entries(document.templates)) {
			const path = toPointer(['templates', key]);
			try {
				if (shelf.has(sha256)) await shelf.read(key, sha256);
				else mistakes.push({ path, message: `the content ${sha256} is not here` });
			} catch (error) {
				const all = error instanceof SettingsFault ? error.mistakes : [{ path: '', message: messageOf(error) }];
				mistakes.push(...all.map((one) => ({ path, message: `${one.path}: ${one.message}` })));
			}
		}
		return mistakes;
	}

	function deviceMistakes(document: ConfigurationDocument, changed: ReadonlySet<string>): ConfigurationMistake[] {
		const mistakes: ConfigurationMistake[] = [];
		for (const uid of changed) {
			const connection = document.devices[uid]?.connection;
			if (connection?.driver !== 'modbus') continue;
			const key = connection.template;
			if (!base.has(key) && !Object.hasOwn(document.templates, key))
				mistakes.push({
					path: toPointer(['devices', uid, 'connection', 'template']),
					message: `there is no device template ${key}`,
				});
		}
		return mistakes;
	}

	function settingMistakes({ journal }: ConfigurationDocument): ConfigurationMistake[] {
		if (journal.max_bytes > segmentBytes) return [];
		const message = `must be more than one segment of this gateway's journal, ${segmentBytes}; found ${journal.max_bytes}`;
		return [{ path: '/journal/max_bytes', message }];
	}

	return async function mistakesOf(
		document: ConfigurationDocument,
		running: ConfigurationDocument,
	): Promise<readonly ConfigurationMistake[]> {
		const form = checkDocument(jsonOf(document));
		if (form.document === null) return form.mistakes;
		const changed = changedDevices(running, document);
		return [
			...settingMistakes(document),
			...deviceMistakes(document, changed),
			...lineMistakes(document, changed),
			...(await templateMistakes(document)),
		];
	};
}

export type DocumentCheck = ReturnType<typeof createDocumentCheck>;
