import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { isEnrolmentCode } from '../../core/link/enrolment.ts';
import { writeFileDurably } from '../../core/storage/json-file.ts';
import { type GatewayRepository, isLetIn } from '../fleet/gateway-record.ts';
import type { EnrolmentService } from './enrolment-service.ts';

export interface FirstCodeDeps {
	/** Folder of everything durable. */
	readonly data: string;
	readonly gateways: Pick<GatewayRepository, 'all'>;
	readonly enrolment: Pick<EnrolmentService, 'isOpen' | 'openCode'>;
}

/** A hub without gateways leaves a code in its data folder: whoever reads it has the machine in hand. */
export async function offerFirstCode({ data, gateways, enrolment }: FirstCodeDeps): Promise<void> {
	const path = join(data, 'enrolment-code');
	if (gateways.all().some(isLetIn)) {
		await rm(path, { force: true });
		return;
	}
	const offered = await readFile(path, 'utf8').catch(() => '');
	if (isEnrolmentCode(offered) && (await enrolment.isOpen(offered))) return;
	const { code } = await enrolment.openCode();
	await writeFileDurably(path, `${code}\n`);
}
