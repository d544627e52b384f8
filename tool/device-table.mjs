/**
 * Writes `docs/devices.md` from the device templates: `node tool/device-table.mjs`. Plain JavaScript on Node's own modules.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const INTRODUCTION = `# Supported devices

Every model below has a template in \`config/template/\` and a test that reads an image of the device through the planner, the driver and the decoder, or what a serial
device that is not Modbus says through its framing.
Three of them are recordings of real devices (\`eastron-sdm230\`, \`goodwe-et\`, \`sma-sunspec-int\`); the others are made from the register tables, and no template
was tried on hardware by us: **confirm a register on the very model before it is written.**

- **two sources**: the core quantities are listed alike by two works that were published separately.
- **one source**: the table follows one work.
- **unverified**: even that one is indirect; such a template writes nothing.

"Recognised" says whether the model has a probe, by which a scan proposes its template. Some families answer alike, and only the type plate tells them
apart: a UMG 508 may be taken for a UMG 96, an iEM3000 that names its maker for a PM5000, and an SDM630 with one phase connected for an SDM120.

A SunSpec device needs no template: see [SunSpec](sunspec.md). Serial devices that are not Modbus are read too: see [serial devices](serial-devices.md).
Any other is described in a file of its own: see [add a device template](add-a-template.md).
This page is written by \`node tool/device-table.mjs\`.
`;

/** @typedef {{ key: string, manufacturer: string, model: string, variants?: string[], category: string, transports?: string[],
 *   comm_defaults?: Record<string, string | number | null>, verification?: string, probe?: unknown[],
 *   points: { access?: string }[] }} Document */

/** @param {Document} document */
function lineOf({ comm_defaults: comm = {} }) {
	const { baud_rate: baud, data_bits: data, parity, stop_bits: stop, tcp_port: port } = comm;
	const letter = typeof parity === 'string' ? parity.slice(0, 1).toUpperCase() : '';
	return [
		baud === null || baud === undefined ? '' : `${baud} ${data}${letter}${stop}`,
		port === null || port === undefined ? '' : `port ${port}`,
	]
		.filter((part) => part !== '')
		.join(', ');
}

/** @param {Document} document */
const cells = (document) => [
	[document.model, ...(document.variants ?? [])].join('; '),
	`\`${document.key}\``,
	document.category,
	(document.transports ?? ['serial', 'socket']).join(', '),
	lineOf(document),
	String(document.points.length),
	String(document.points.filter(({ access = 'r' }) => access !== 'r').length),
	(document.probe ?? []).length > 0 ? 'yes' : 'no',
	document.verification ?? 'unverified',
];

const HEAD = [
	'Model',
	'Template',
	'What it is',
	'Lines',
	'Factory setting',
	'Points',
	'Writable',
	'Recognised',
	'Facts',
];

/** @param {string[][]} rows */
function table(rows) {
	const widths = HEAD.map((head, at) => Math.max(head.length, ...rows.map((row) => row[at]?.length ?? 0)));
	const line = (/** @type {string[]} */ row) =>
		`| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
	return [line(HEAD), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}

/**
 * The whole page.
 * @param {Document[]} documents
 */
export function devicePage(documents) {
	const names = new Set(documents.map(({ manufacturer }) => manufacturer));
	const makers = [...names].toSorted((left, right) => left.localeCompare(right, 'en'));
	const sections = makers.map((maker) => {
		const rows = documents.filter(({ manufacturer }) => manufacturer === maker).map(cells);
		return `## ${maker}\n\n${table(rows)}\n`;
	});
	return [INTRODUCTION, ...sections].join('\n');
}

/** The templates of the product, by key. */
export function shippedDocuments() {
	const folder = join(ROOT, 'config', 'template');
	return readdirSync(folder)
		.filter((name) => name.endsWith('.json') && !name.endsWith('.schema.json'))
		.toSorted()
		.map((name) => {
			/** @type {Document} */
			const document = JSON.parse(readFileSync(join(folder, name), 'utf8'));
			document.key = name.slice(0, -'.json'.length);
			return document;
		});
}

if (argv[1] === fileURLToPath(import.meta.url)) {
	writeFileSync(join(ROOT, 'docs', 'devices.md'), devicePage(shippedDocuments()));
}
