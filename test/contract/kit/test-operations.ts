import test from 'ava';

import { member } from '../../system/kit/rest.ts';
import { planOf } from '../plan/plans.ts';
import type { BoxOptions, HullRole } from './box.ts';
import type { Case } from './case.ts';
import { answerDifferences } from './conformance.ts';
import { casesOf } from './derived-cases.ts';
import { nameOf, type Operation, readOperations } from './document.ts';
import type { Answer } from './http-client.ts';
import { fetchOwnDocument, type OwnDocument } from './own-document.ts';
import { orderMistakes } from './order.ts';
import { openStage } from './open-stage.ts';
import { createResultTable } from './result-table.ts';
import type { Stage } from './stage.ts';

/** The field that a refusal has to name, when it does not. */
function fieldMistakes({ body }: Answer, field: readonly string[]): readonly string[] {
	const errors = member(body, 'errors');
	const named = Array.isArray(errors) ? errors.map((error: unknown) => String(member(error, 'loc'))) : [];
	return named.includes(String(field))
		? []
		: [`errors name ${named.join(' and ') || 'nothing'}, not ${field.join('.')}`];
}

async function mistakesOf(
	stage: Stage,
	ownDocument: OwnDocument,
	operation: Operation,
	one: Case,
): Promise<readonly string[]> {
	const answer = await one.run(stage, operation);
	if (answer.status !== one.status) return [`${answer.status} instead of ${one.status}: ${answer.text.slice(0, 300)}`];
	const { code, field } = one;
	return [
		...(code === undefined || member(answer.body, 'error_code') === code ? [] : [`not ${code}: ${answer.text}`]),
		...(field === undefined ? [] : fieldMistakes(answer, field)),
		...answerDifferences(operation, answer, one.amendment !== undefined),
		...ownDocument.differences(operation, answer),
		...orderMistakes(answer),
		...((await one.verify?.(answer, stage)) ?? []),
	];
}

const TOO_MANY = 429;

/** Statuses for which there are cases. */
const provoked = (operation: Operation): readonly number[] => [
	...new Set(casesOf(operation, planOf(operation)).map(({ status }) => status)),
];

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Every case of every operation against one hull, over the network, and the table of what came out. */
export function testOperations(role: HullRole, options: BoxOptions = {}): void {
	const operations = readOperations();
	const table = createResultTable(operations);
	let stage: Stage;
	let ownDocument: OwnDocument;

	test.before('a claimed box', async () => {
		stage = await openStage(role, options);
		ownDocument = await fetchOwnDocument(stage.box.httpPort);
	});
	test.after.always('the box ends', () => stage.box.stop());

	function testCases(operation: Operation, status: number): void {
		const own = casesOf(operation, planOf(operation)).filter((one) => one.status === status);
		const title = `${role}: ${nameOf(operation)} answers ${status}`;
		test.serial(title, async (t) => {
			const found: string[] = [];
			for (const one of own) {
				const mistakes = await mistakesOf(stage, ownDocument, operation, one).catch((error: unknown) => [
					messageOf(error),
				]);
				table.note(operation, { status, mistakes });
				found.push(...mistakes.map((mistake) => `${one.name}: ${mistake}`));
			}
			t.deepEqual(found, []);
		});
	}

	// One address is in too much of a hurry for all operations, one after the other.
	for (const operation of operations)
		for (const status of provoked(operation).filter((one) => one !== TOO_MANY)) testCases(operation, status);
	for (const operation of operations) testCases(operation, TOO_MANY);

	test.serial(
		`${role}: the document that it writes of itself has every operation under its name, with every status`,
		(t) => {
			t.deepEqual(
				operations.flatMap((operation) => ownDocument.gaps(operation)),
				[],
			);
		},
	);

	test.serial(`${role}: no call has met a defect`, (t) => {
		for (const line of table.lines()) t.log(line);
		t.deepEqual(stage.box.errors(), []);
	});
}
