import { once } from 'node:events';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';

import { SettingsFault } from '../../config/settings-fault.ts';
import { parseTemplate } from '../../config/template/template-schema.ts';
import type { TemplateDocument } from '../../config/template/template.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import { previewOf, readImport, unreadable } from './import/import-preview.ts';
import { ImportFault } from './import/imported.ts';
import type { TemplateBase, TemplateOutcome, TemplateSaying, TemplateTask } from './template-messages.ts';

const say = (port: MessagePort, saying: TemplateSaying): void => port.postMessage(saying);

/** The template that a document extends, by asking for it; none when it extends nothing, or what is not there. */
async function basesOf(document: unknown, port: MessagePort): Promise<ReadonlyMap<string, TemplateDocument>> {
	const wanted: unknown = typeof document === 'object' && document !== null ? Reflect.get(document, 'extends') : null;
	if (typeof wanted !== 'string') return new Map();
	say(port, { kind: 'base', key: wanted });
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the other side sends
	const [base] = (await once(port, 'message')) as [TemplateBase];
	return new Map(base === null ? [] : [[wanted, base]]);
}

async function imported(
	{ request, current }: Extract<TemplateTask, { kind: 'import' }>,
	port: MessagePort,
): Promise<TemplateOutcome> {
	const { key, format } = request;
	const read = readImport({ ...request, content: Buffer.from(request.content) });
	if (read instanceof ImportFault) return { kind: 'previewed', preview: unreadable(format, read.note) };
	const bases = await basesOf(read.imported.document, port);
	const parse = (own: string, raw: unknown) => parseTemplate(own, raw, bases);
	return { kind: 'previewed', preview: previewOf(key, read, { parse, current }) };
}

async function parsed(
	{ key, raw }: Extract<TemplateTask, { kind: 'parse' }>,
	port: MessagePort,
): Promise<TemplateOutcome> {
	const bases = await basesOf(raw, port);
	try {
		return { kind: 'parsed', template: parseTemplate(key, raw, bases) };
	} catch (error) {
		if (error instanceof SettingsFault) return { kind: 'mistaken', mistakes: error.mistakes };
		throw error;
	}
}

if (parentPort !== null) {
	const port = parentPort;
	try {
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what this thread is started with
		const task = workerData as TemplateTask;
		say(port, await (task.kind === 'import' ? imported(task, port) : parsed(task, port)));
	} catch (error) {
		say(port, { kind: 'failed', reason: messageOf(error) });
	}
}
