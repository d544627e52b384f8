import type { Request, ResponseToolkit, Server } from '@hapi/hapi';

import { SettingsFault, type SettingsMistake } from '../../config/settings-fault.ts';
import { templateFile } from '../../config/template/template-file.ts';
import { parseTemplate, readTemplates } from '../../config/template/template-schema.ts';
import type { TemplateDocument } from '../../config/template/template.ts';
import { checksumOf } from '../../core/configuration/canonical-json.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import { importBody, importView, toImportRequest } from '../../gateway/template/import/import-schema.ts';
import { previewOf, readImport, unreadable } from '../../gateway/template/import/import-preview.ts';
import { ImportFault } from '../../gateway/template/import/imported.ts';
import { brokenViews, lineView, shownView } from '../../gateway/template/template-route-schema.ts';
import { refusal } from './mock-answer.ts';

const COPYCAT_OPTIONS = [
	{
		name: 'phases',
		label: 'Phases',
		labels: { ko: '상', tr: 'Fazlar' },
		type: 'number',
		default: 3,
		choices: [
			{ value: 1, label: 'One' },
			{ value: 3, label: 'Three' },
		],
	},
	{ name: 'has_clock', label: 'Has a clock', type: 'boolean', default: false },
] as const;

/** A small meter, as its file. */
export const madeDocument = (manufacturer: string, model: string, more: object = {}) => ({
	manufacturer,
	model,
	variants: [],
	category: 'energy meter, DIN rail',
	transports: ['rtu'],
	comm_defaults: { baud_rate: 9600, data_bits: 8, parity: 'none', stop_bits: 1, unit_id: 1, tcp_port: null },
	max_registers: 125,
	guard_ms: 0,
	probe: [],
	sign: null,
	quirks: [],
	verification: 'unverified',
	sources: [{ work: 'manual of the maker', licence: 'all rights reserved', use: 'facts' }],
	points: [
		{
			key: 'voltage_l1',
			name: 'Voltage L1',
			function: 3,
			address: 0,
			count: 2,
			type: 'float32',
			byte_order: 'ABCD',
			unit: 'V',
		},
	],
	...more,
});

/** A template that devices use. */
const USED = 'ostwerk-heat-2';

interface SiteTemplate {
	readonly raw: JsonValue;
	readonly template: TemplateDocument | null;
	readonly mistakes: readonly SettingsMistake[];
}

async function openShelf() {
	const { templates: read } = await readTemplates('config/template');
	const base = new Map([...read].filter(([key]) => key === 'eastron-sdm630'));
	base.set(
		'acme-copycat',
		parseTemplate('acme-copycat', madeDocument('Acme', 'Copycat 3', { options: COPYCAT_OPTIONS }), base),
	);
	const site = new Map<string, SiteTemplate>();
	const put = (key: string, raw: JsonValue): void =>
		void site.set(key, { raw, template: parseTemplate(key, raw, base), mistakes: [] });
	put(USED, madeDocument('Ostwerk', 'Heat meter 2'));
	const mistakes = [{ path: 'points', message: 'must be an array; found "none"' }];
	site.set('old-upload', { raw: { points: 'none' }, template: null, mistakes });
	return { base, site, put };
}

type Shelf = Awaited<ReturnType<typeof openShelf>>;

const templateOf = ({ base, site }: Shelf, key: string): TemplateDocument | null =>
	site.get(key)?.template ?? (site.has(key) ? null : (base.get(key) ?? null));

const lineOf = (shelf: Shelf, key: string) =>
	lineView({
		key,
		origin: shelf.site.has(key) ? 'site' : 'product',
		template: templateOf(shelf, key) ?? undefined,
		mistakes: shelf.site.get(key)?.mistakes ?? [],
	});

/** Shipped files that cannot be used. */
const BROKEN = [{ path: 'broken.json: points[3]', message: 'overlaps with points[4]' }];

/** As its file, from JSON. */
function wholeOf(template: TemplateDocument | null): JsonValue {
	const text = template === null ? 'null' : JSON.stringify(templateFile(template));
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON it is
	return JSON.parse(text) as JsonValue;
}

function shownOf(shelf: Shelf, key: string, isResolved: boolean) {
	const own = shelf.site.get(key) ?? null;
	const template = templateOf(shelf, key);
	const whole = wholeOf(template);
	const raw = own === null ? whole : own.raw;
	const shown: Parameters<typeof shownView>[0] = {
		key,
		origin: own === null ? 'product' : 'site',
		extends: template?.extends ?? null,
		checksum: checksumOf(raw),
		usedBy: key === USED ? ['meter-main', 'gone-meter'] : [],
		mistakes: own?.mistakes ?? [],
		document: isResolved && template !== null ? whole : raw,
	};
	return shownView(shown, true);
}

const missing = (h: ResponseToolkit, key: string) =>
	refusal(h, 404, 'RESOURCE_NOT_FOUND', `there is no template ${key}`);

const keyOf = (request: Request): string => String(request.params['key']);

/** Device templates in memory; files are read by the product's own import. */
export function templateRoutes(server: Server): void {
	let opened: Promise<Shelf> | undefined;
	const open = (): Promise<Shelf> => (opened ??= openShelf());
	const isStale = (request: Request, shelf: Shelf): boolean => {
		const wanted: unknown = request.headers['if-match'];
		return wanted !== undefined && wanted !== `"${shownOf(shelf, keyOf(request), false).checksum}"`;
	};
	server.route([
		{
			method: 'GET',
			path: '/api/v1/templates',
			async handler() {
				const shelf = await open();
				const keys = new Set([...shelf.base.keys(), ...shelf.site.keys()]);
				return [...Array.from(keys, (key) => lineOf(shelf, key)), ...brokenViews(BROKEN)];
			},
		},
		{
			method: 'GET',
			path: '/api/v1/templates/{key}',
			async handler(request, h) {
				const [shelf, key] = [await open(), keyOf(request)];
				const isThere = shelf.site.has(key) || shelf.base.has(key);
				return isThere ? shownOf(shelf, key, request.query['resolved'] === 'true') : missing(h, key);
			},
		},
		{
			method: 'PUT',
			path: '/api/v1/templates/{key}',
			async handler(request, h) {
				const [shelf, key] = [await open(), keyOf(request)];
				if (isStale(request, shelf))
					return refusal(h, 412, 'PRECONDITION_FAILED', 'the template was changed meanwhile; read it again');
				try {
					// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- hapi has read JSON
					shelf.put(key, request.payload as JsonValue);
				} catch (error) {
					if (!(error instanceof SettingsFault)) throw error;
					const errors = error.mistakes.map(({ path, message }) => ({
						loc: ['body', ...path.split('.')],
						msg: message,
						type: 'rule-violation',
					}));
					return refusal(h, 422, 'VALIDATION_ERROR', 'the template cannot be used', errors);
				}
				return shownOf(shelf, key, false);
			},
		},
		{
			method: 'DELETE',
			path: '/api/v1/templates/{key}',
			async handler(request, h) {
				const [shelf, key] = [await open(), keyOf(request)];
				if (key === USED)
					return refusal(
						h,
						409,
						'CONFLICT',
						`template ${key} is used by meter-main, gone-meter: give them another one first`,
					);
				shelf.site.delete(key);
				return h.response().code(204);
			},
		},
		{
			method: 'GET',
			path: '/api/v1/templates/{key}/export',
			handler: (request, h) =>
				h.response(`${keyOf(request)} as ${String(request.query['format'])}\n`).type('text/plain'),
		},
		{
			method: 'POST',
			path: '/api/v1/templates/import',
			options: { payload: { maxBytes: 4 * 1024 * 1024 } },
			async handler(request, h) {
				const shelf = await open();
				const { value, error } = importBody.validate(request.payload);
				if (error !== undefined) {
					const errors = error.details.map(({ path, message, type }) => ({
						loc: ['body', ...path.map(String)],
						msg: message,
						type,
					}));
					return refusal(h, 422, 'VALIDATION_ERROR', error.message, errors);
				}
				const wanted = toImportRequest(value);
				const read = readImport(wanted);
				const preview =
					read instanceof ImportFault
						? unreadable(wanted.format, read.note)
						: previewOf(wanted.key, read, {
								parse: (key, raw) => parseTemplate(key, raw, shelf.base),
								current: templateOf(shelf, wanted.key) ?? undefined,
							});
				return importView(wanted.key, preview);
			},
		},
	]);
}
