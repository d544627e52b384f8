import { parseTemplate } from '../../config/template/template-schema.ts';
import { importFile, type ImportFormat } from '../../gateway/template/import/import-formats.ts';
import type { ImportOptions } from '../../gateway/template/import/imported.ts';

/** `key function:address/count type order` and what is not as usual. */
export function pointLines(format: ImportFormat, content: Buffer, options: ImportOptions): readonly string[] {
	const { document } = importFile(format, content, options);
	return parseTemplate('sample', document).points.map((point) => {
		const {
			key,
			functionCode,
			address,
			count,
			type,
			byteOrder,
			scale,
			offset,
			unit,
			access,
			kind,
			bit,
			enum: texts,
		} = point;
		const place = `${key} ${functionCode}:${address}/${count} ${type} ${byteOrder}`;
		const more = [
			scale === 1 ? '' : `x${scale}`,
			offset === 0 ? '' : `+${offset}`,
			unit,
			access === 'r' ? '' : access,
			kind === 'measurement' ? '' : kind,
			bit === undefined ? '' : `bit${bit}`,
			texts === null ? '' : JSON.stringify(texts),
		];
		return [place, ...more].filter((part) => part !== '').join(' ');
	});
}
