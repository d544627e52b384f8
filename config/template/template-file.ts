import { toWirePoint, type WirePoint } from './point-form.ts';
import type { WireCommDefaults, WireHeader } from './template-form.ts';
import type { CommDefaults, TemplateDocument } from './template.ts';

/** A template as it is written in its file; the name of the file is its key. */
export interface TemplateFile extends WireHeader {
	readonly points: readonly WirePoint[];
}

const toWireDefaults = (defaults: CommDefaults): WireCommDefaults => ({
	baud_rate: defaults.baudRate,
	data_bits: defaults.dataBits,
	parity: defaults.parity,
	stop_bits: defaults.stopBits,
	unit_id: defaults.unitId,
	tcp_port: defaults.tcpPort,
});

/** The header of the file, apart from what most files do not have. */
const usualOf = (template: TemplateDocument) => ({
	manufacturer: template.manufacturer,
	model: template.model,
	variants: template.variants,
	category: template.category,
	transports: template.transports,
	comm_defaults: toWireDefaults(template.commDefaults),
	max_registers: template.maxRegistersPerRead,
	guard_ms: template.guardMs,
	probe: template.probe,
	sign: template.sign,
	quirks: template.quirks,
	verification: template.verification,
	sources: template.sources,
});

/** The whole template as a file: `parseTemplate` of it is the template again. One that changes another one is written out. */
export function templateFile(template: TemplateDocument): TemplateFile {
	const { maxBitsPerRead, holes, allFfIsAbsent, options, groups, serial } = template;
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a file of the other kind: it is kept as it was written
	if (serial !== undefined) return serial.file as TemplateFile;
	return {
		...usualOf(template),
		...(maxBitsPerRead === undefined ? {} : { max_bits: maxBitsPerRead }),
		...(holes === undefined
			? {}
			: { holes: holes.map(({ functionCode, first, last }) => ({ function: functionCode, first, last })) }),
		...(allFfIsAbsent === undefined ? {} : { all_ff_is_absent: allFfIsAbsent }),
		...(options === undefined ? {} : { options }),
		...(groups === undefined ? {} : { groups }),
		points: template.points.map(toWirePoint),
	};
}
