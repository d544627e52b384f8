import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { Back } from '../part/back.tsx';
import { type Operation, operationsOf } from '../state/openapi.ts';
import { Problem } from '../part/list.tsx';
import { Schema } from '../part/schema.tsx';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';

const OPENAPI = '/api/openapi.json';
const ASYNCAPI = '/api/asyncapi.json';

/** The REST API of this box, read from its own document. */
export function ApiPage() {
	const { api } = useServices();
	const operations = useSignal<readonly Operation[] | null>(null);
	const problem = useSignal<string | null>(null);
	const wanted = useSignal('');

	useEffect(() => {
		async function load(): Promise<void> {
			try {
				operations.value = operationsOf(await api.get<unknown>(OPENAPI));
			} catch (error) {
				problem.value = error instanceof Error ? error.message : t('error.unreachable');
			}
		}
		void load();
	}, [api, operations, problem]);

	const text = wanted.value.toLowerCase();
	const shown = (operations.value ?? []).filter(({ path, summary, id }) =>
		`${path} ${summary} ${id}`.toLowerCase().includes(text),
	);
	const tags = [...new Set(shown.map(({ tag }) => tag))].toSorted();
	return (
		<>
			<Back to="settings" />
			<div class="title-row">
				<h1>{t('api.title')}</h1>
				<a href={OPENAPI}>OpenAPI</a>
				<a href={ASYNCAPI}>AsyncAPI</a>
				<span class="spring" />
				<input
					type="search"
					aria-label={t('api.filter')}
					placeholder={t('api.filter')}
					onInput={(event) => {
						wanted.value = event.currentTarget.value;
					}}
				/>
			</div>
			<Problem>{problem.value}</Problem>
			{operations.value === null && problem.value === null && <p class="quiet">{t('app.loading')}</p>}
			{tags.map((tag) => (
				<section key={tag}>
					<h2 class="section-title">{tag}</h2>
					{shown
						.filter((operation) => operation.tag === tag)
						.map((operation) => (
							<OperationView key={`${operation.method} ${operation.path}`} operation={operation} />
						))}
				</section>
			))}
		</>
	);
}

function OperationView({ operation }: { readonly operation: Operation }) {
	const { method, path, summary, permission, ownerOr, parameters, body, answers } = operation;
	return (
		<details class="card operation">
			<summary>
				<span class={`method ${method}`}>{method.toUpperCase()}</span> <code>{path}</code>
				<span class="quiet"> {summary}</span>
			</summary>
			<p class="hint">
				{ownerOr === '' ? t('api.access', { permission }) : t('api.accessOwner', { permission: ownerOr })}
			</p>
			{parameters.length > 0 && (
				<>
					<h3>{t('api.parameters')}</h3>
					<ul>
						{parameters.map(({ name, place, required, schema }) => (
							<li key={`${place} ${name}`}>
								<code>{name}</code>{' '}
								<span class="quiet">
									{place}
									{required ? `, ${t('api.required')}` : ''}
								</span>{' '}
								<Schema schema={schema} />
							</li>
						))}
					</ul>
				</>
			)}
			{body !== null && (
				<>
					<h3>{t('api.body')}</h3>
					<Schema schema={body} />
				</>
			)}
			<h3>{t('api.answers')}</h3>
			<ul>
				{answers.map(({ status, description, schema }) => (
					<li key={status}>
						<strong>{status}</strong> <span class="quiet">{description}</span>{' '}
						{schema !== null && <Schema schema={schema} />}
					</li>
				))}
			</ul>
		</details>
	);
}
