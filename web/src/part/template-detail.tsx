import { link } from '../router.ts';
import { useForm } from '../state/form.ts';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { tt } from '../text-template.ts';
import type { DevicePageView } from '../wire.ts';
import type { ShownTemplateView, TemplateDocumentView, TemplateOrigin, Verification } from '../wire-template.ts';
import { Answer } from './answer.tsx';
import { Back } from './back.tsx';
import { type FactEntry, Facts } from './facts.tsx';
import { FormProblem } from './field.tsx';
import { saveFile } from './save-file.ts';
import { Status } from './status.tsx';
import { DeleteTemplate } from './template-delete.tsx';
import { TemplateOptions, TemplatePoints } from './template-points.tsx';

const PERIOD_MS = 30_000;
/** Most devices of one answer. */
const MOST_DEVICES = 100;

/** How each format is asked for, and how its files end. */
const EXPORTS = [
	{ format: 'json', ending: 'json' },
	{ format: 'csv', ending: 'csv' },
	{ format: 'xlsx', ending: 'xlsx' },
	{ format: 'wot', ending: 'tm.json' },
] as const;

/** Whose it is; one that somebody made here is marked. */
export function OriginMark({ origin }: { readonly origin: TemplateOrigin }) {
	return origin === 'product' ? <>{tt('origin.product')}</> : <strong>{tt(`origin.${origin}`)}</strong>;
}

/** How far it can be trusted. */
export function VerificationMark({ verification }: { readonly verification: Verification }) {
	const isChecked = verification === 'two sources';
	return (
		<Status tone={isChecked ? 'ok' : 'warn'} icon={isChecked ? 'ok' : 'degraded'}>
			{tt(`verified.${verification}`)}
		</Status>
	);
}

/** One template: what it is, who uses it, its points; its files, its changes and its end. */
export function TemplateDetail({ templateKey }: { readonly templateKey: string }) {
	const path = `/api/v1/templates/${encodeURIComponent(templateKey)}`;
	const polled = usePoll<ShownTemplateView>(`${path}?resolved=true`, PERIOD_MS);
	return (
		<>
			<Back to="templates" />
			<Answer of={polled}>{(template) => <Shown template={template} path={path} />}</Answer>
			{polled.data.value === null && <h1 class="id">{templateKey}</h1>}
		</>
	);
}

/** What is sound has been checked by the server; of anything else only the text is shown. */
const soundOf = ({ document, mistakes }: ShownTemplateView): TemplateDocumentView | null =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a document without mistakes is a template
	mistakes.length === 0 ? (document as TemplateDocumentView) : null;

interface ShownProps {
	readonly template: ShownTemplateView;
	readonly path: string;
}

function Shown({ template, path }: ShownProps) {
	const document = soundOf(template);
	const name = document === null ? template.key : `${document.manufacturer} ${document.model}`;
	return (
		<>
			<div class="title-row">
				<h1>{name}</h1>
				{document?.verification !== undefined && <VerificationMark verification={document.verification} />}
				<span class="spring" />
				<Changes template={template} path={path} />
			</div>
			{document === null ? (
				<Unusable template={template} />
			) : (
				<>
					<div class="cards">
						<section class="card">
							<Facts entries={factsOf(template, document)} />
							{template.origin === 'hub' && <p class="quiet">{tt('template.ofHub')}</p>}
						</section>
						<section class="card">
							<Exports path={path} templateKey={template.key} />
							<Quirks document={document} />
							<Sources document={document} />
						</section>
					</div>
					<TemplateOptions options={document.options ?? []} />
					<TemplatePoints points={document.points} />
				</>
			)}
		</>
	);
}

function Changes({ template: { key, origin, checksum }, path }: ShownProps) {
	const { me } = useServices();
	return (
		<>
			{origin !== 'hub' && me.may('templates:write') && (
				<a class="button" href={link('import-template', key)}>
					{tt(origin === 'site' ? 'template.change' : 'template.changeHere')}
				</a>
			)}
			{origin === 'site' && me.may('templates:delete') && (
				<DeleteTemplate path={path} templateKey={key} checksum={checksum} />
			)}
		</>
	);
}

const listed = (words: readonly string[] | undefined): string => (words ?? []).join(', ');

function factsOf(template: ShownTemplateView, document: TemplateDocumentView): readonly FactEntry[] {
	const { key, extends: base, origin, used_by: users } = template;
	const facts: readonly (FactEntry | null)[] = [
		{ name: tt('template.key'), value: <span class="id">{key}</span> },
		{ name: tt('templates.origin'), value: <OriginMark origin={origin} /> },
		base === null
			? null
			: {
					name: tt('template.extends'),
					value: base === key ? <span class="id">{base}</span> : <a href={link('templates', base)}>{base}</a>,
				},
		{ name: tt('templates.category'), value: document.category },
		document.variants === undefined || document.variants.length === 0
			? null
			: { name: tt('template.variants'), value: listed(document.variants) },
		{ name: tt('template.transports'), value: listed(document.transports).toUpperCase() },
		{ name: tt('template.usedBy'), value: <Users uids={users} /> },
	];
	return facts.filter((fact) => fact !== null);
}

/** Devices by their names as far as the page of devices has them. */
function Users({ uids }: { readonly uids: readonly string[] }) {
	const { data } = usePoll<DevicePageView>(`/api/v1/devices?size=${MOST_DEVICES}`, PERIOD_MS);
	if (uids.length === 0) return <>{tt('template.unused')}</>;
	const known = new Map((data.value?.items ?? []).map((device) => [device.device_uid, device]));
	return (
		<>
			{uids.map((uid) => {
				const device = known.get(uid);
				return (
					<span class="user" key={uid}>
						<a href={link('devices', uid)} class={device === undefined ? 'id' : ''}>
							{device?.name ?? uid}
						</a>
					</span>
				);
			})}
		</>
	);
}

function Unusable({ template: { mistakes, document } }: { readonly template: ShownTemplateView }) {
	return (
		<section class="card">
			<h2>{tt('template.mistakes')}</h2>
			<ul class="sentences mistakes" role="alert">
				{mistakes.map((sentence) => (
					<li key={sentence}>{sentence}</li>
				))}
			</ul>
			{document !== null && (
				<details class="more">
					<summary>{tt('template.document')}</summary>
					<pre class="source">{JSON.stringify(document, null, 2)}</pre>
				</details>
			)}
		</section>
	);
}

/** Files of it. They are asked for with the token of the person, so they are buttons and no links. */
function Exports({ path, templateKey }: { readonly path: string; readonly templateKey: string }) {
	const { api } = useServices();
	const form = useForm([]);
	return (
		<>
			<h2>{tt('template.export')}</h2>
			<div class="row-actions exports">
				{EXPORTS.map(({ format, ending }) => (
					<button
						key={format}
						type="button"
						disabled={form.busy.value}
						onClick={() =>
							void form.send(async () =>
								saveFile(await api.file(`${path}/export?format=${format}`), `${templateKey}.${ending}`),
							)
						}
					>
						{tt(`template.export.${format}`)}
					</button>
				))}
			</div>
			<FormProblem form={form} />
		</>
	);
}

function Quirks({ document: { quirks = [] } }: { readonly document: TemplateDocumentView }) {
	if (quirks.length === 0) return null;
	return (
		<>
			<h2>{tt('template.quirks')}</h2>
			<ul class="sentences">
				{quirks.map((sentence) => (
					<li key={sentence}>{sentence}</li>
				))}
			</ul>
		</>
	);
}

function Sources({ document: { sources = [] } }: { readonly document: TemplateDocumentView }) {
	if (sources.length === 0) return null;
	return (
		<details class="more">
			<summary>{tt('template.sources')}</summary>
			<ul class="sentences">
				{sources.map(({ work, licence, use }) => (
					<li key={work}>
						{work}
						<small class="reason">{tt('template.sourceFacts', { licence, use })}</small>
					</li>
				))}
			</ul>
		</details>
	);
}
