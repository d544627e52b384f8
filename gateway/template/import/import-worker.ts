import { once } from 'node:events';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';

import { parseTemplate } from '../../../config/template/template-schema.ts';
import { messageOf } from '../../../core/kernel/fault.ts';
import type { ImportBase, ImportSaying, ImportTask } from './import-messages.ts';
import { type ImportPreview, previewOf, readImport, unreadable } from './import-preview.ts';
import { ImportFault } from './imported.ts';

/** One import on a thread of its own: a hostile file costs this thread, not the polling of devices. */
async function preview({ request, current }: ImportTask, port: MessagePort): Promise<ImportPreview> {
	const { key, format } = request;
	const read = readImport({ ...request, content: Buffer.from(request.content) });
	if (read instanceof ImportFault) return unreadable(format, read.note);
	const wanted = read.imported.document['extends'];
	const bases = new Map<string, NonNullable<ImportBase>>();
	if (typeof wanted === 'string') {
		say(port, { kind: 'base', key: wanted });
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the service sends
		const [base] = (await once(port, 'message')) as [ImportBase];
		if (base !== null) bases.set(wanted, base);
	}
	return previewOf(key, read, { parse: (own, raw) => parseTemplate(own, raw, bases), current });
}

const say = (port: MessagePort, saying: ImportSaying): void => port.postMessage(saying);

if (parentPort !== null) {
	const port = parentPort;
	try {
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the service starts this with
		say(port, { kind: 'done', preview: await preview(workerData as ImportTask, port) });
	} catch (error) {
		say(port, { kind: 'failed', reason: messageOf(error) });
	}
}
