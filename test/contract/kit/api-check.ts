import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

import { followed, isTree, type Tree, treeAt } from './document.ts';

/** Tells whether answers are what the served OpenAPI document says of them. */
export interface ApiCheck {
	/** What is wrong with an answer; null: nothing. @param template path of the document, e.g. `/api/v1/devices/{device_id}` */
	mistakeOf(method: string, template: string, status: number, text: string): string | null;
}

export function createApiCheck(document: Tree): ApiCheck {
	const ajv = new Ajv2020({ strict: false, allErrors: true, schemas: { api: document } });
	addFormats.default(ajv);
	const compiled = new Map<string, ValidateFunction>();

	function validatorOf(schema: Tree): ValidateFunction {
		const key = JSON.stringify(schema);
		const known = compiled.get(key);
		if (known !== undefined) return known;
		// References of the document are from its root.
		const rooted: unknown = JSON.parse(key.replaceAll('"#/', '"api#/'));
		const validate = ajv.compile(isTree(rooted) ? rooted : {});
		compiled.set(key, validate);
		return validate;
	}

	return {
		mistakeOf(method, template, status, text) {
			const operation = treeAt(treeAt(treeAt(document, 'paths'), template), method.toLowerCase());
			const response = treeAt(operation, 'responses')[String(status)];
			if (response === undefined) return `${status} is not declared`;
			const media = treeAt(treeAt(followed(document, response), 'content'), 'application/json');
			const { schema } = media;
			if (!isTree(schema)) return null;
			const validate = validatorOf(schema);
			if (validate(JSON.parse(text))) return null;
			return ajv.errorsText(validate.errors).slice(0, 400);
		},
	};
}
