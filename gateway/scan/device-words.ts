import { decodeIdentification, type IdentificationObject } from '../driver/modbus/wire/device-identification.ts';
import type { SunspecIdentity, SunspecRead } from '../sunspec/sunspec-discovery.ts';
import type { Identification } from './scan.ts';
import type { Witness } from './witness.ts';

/** Names of the objects of function 43/14 (Application Protocol V1.1b3, 6.21); others are the maker's own. */
const OBJECT_NAMES: readonly string[] = [
	'vendor_name',
	'product_code',
	'major_minor_revision',
	'vendor_url',
	'product_name',
	'model_name',
	'user_application_name',
];

/** Most answers to one identification: a device that always says "more follows" must not keep the line. */
const MOST_PARTS = 8;
const MOST_TEXT = 120;

/** Function 17 ends its identifier with FFh while the device runs and 00h while it does not. */
const RUNNING = 0xff;
const STOPPED = 0x00;

/** Finds the SunSpec marker and what follows it; `null`: the device is none. Any fault of the line passes through. */
export type DiscoverSunspec = (read: SunspecRead) => Promise<SunspecIdentity | null>;

/** ASCII as far as it can be read. */
export const readable = (bytes: Buffer): string =>
	bytes
		.toString('latin1')
		.replaceAll(/[^\x20-\x7e]+/g, ' ')
		.trim()
		.slice(0, MOST_TEXT);

const nameOf = (id: number): string => OBJECT_NAMES[id] ?? `object_${id}`;

/** Basic objects, then the regular ones where the device has them. */
async function objectsOf(
	witness: Witness,
	unitId: number,
	timeoutMs: number,
): Promise<readonly IdentificationObject[]> {
	const objects: IdentificationObject[] = [];
	let readCode: 1 | 2 = 1;
	let objectId = 0;
	for (let parts = 0; parts < MOST_PARTS; parts += 1) {
		const outcome = await witness.ask({ unitId, functionCode: 43, readCode, objectId, timeoutMs });
		if (outcome.kind !== 'answer') break;
		const { objects: some, nextObjectId, conformityLevel } = decodeIdentification(outcome.answer.data);
		objects.push(...some);
		if (nextObjectId !== null && nextObjectId > objectId) {
			objectId = nextObjectId;
		} else {
			const hasRegular = (conformityLevel & 0x7f) >= 2;
			if (readCode === 2 || !hasRegular) break;
			[readCode, objectId] = [2, 3];
		}
	}
	return objects;
}

async function serverIdOf(witness: Witness, unitId: number, timeoutMs: number): Promise<Identification['serverId']> {
	const outcome = await witness.ask({ unitId, functionCode: 17, timeoutMs });
	if (outcome.kind !== 'answer') return null;
	const { data } = outcome.answer;
	const status = data[1];
	const isRunning = status === RUNNING ? true : status === STOPPED ? false : null;
	return { hex: data.toString('hex').slice(0, 2 * MOST_TEXT), text: readable(data), isRunning };
}

/** Asks a unit who it is, in all the ways there are. What it does not know costs one refused request each. */
export async function deviceWords(
	witness: Witness,
	unit: { readonly unitId: number; readonly timeoutMs: number },
	discoverSunspec: DiscoverSunspec,
): Promise<Identification> {
	const { unitId, timeoutMs } = unit;
	const objects = await objectsOf(witness, unitId, timeoutMs);
	const serverId = await serverIdOf(witness, unitId, timeoutMs);
	const sunspec = await discoverSunspec(async (address, count) => {
		const outcome = await witness.ask({ unitId, functionCode: 3, address, count, timeoutMs });
		return outcome.kind === 'answer' ? outcome.answer.data : null;
	});
	return { objects: objects.map(({ id, value }) => ({ name: nameOf(id), text: readable(value) })), serverId, sunspec };
}

/** All that a unit said about itself, in one text. */
export const wordsOf = ({ objects, serverId, sunspec }: Identification): string =>
	[
		...objects.map(({ text }) => text),
		serverId?.text ?? '',
		sunspec === null ? '' : `${sunspec.manufacturer} ${sunspec.model}`,
	].join(' ');
