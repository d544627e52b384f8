import type { ImportOptions } from '../../gateway/template/import/imported.ts';

export const optionsOf = (changes: Partial<ImportOptions> = {}): ImportOptions => ({
	addressing: 'auto',
	functionCode: 3,
	sunspecAddress: 40_070,
	...changes,
});
